import { InvalidArgumentError, isQuorateError } from '@quorate/core';
import type { ZooKeeper } from '@quorate/zookeeper';
import { type AccessOptions, checkAccess } from './access.ts';
import { Gathering } from './double-barrier/gathering.ts';
import { type Round, remainingOf } from './double-barrier/round.ts';
import { BarrierStateError } from './errors/barrier-state-error.ts';
import { remove } from './line/removal.ts';
import { lastSegment } from './path.ts';
import { checkPlace } from './place.ts';
import { NextChange } from './waiting/next-change.ts';
import { workUntilAborted } from './waiting/until-aborted.ts';
import { patience, type WaitOptions } from './waiting/wait-options.ts';

const largestSize = 1_000;

export interface DoubleBarrierOptions extends AccessOptions {
  /** How many must have come before anybody may go in. The first to come stores it there; whoever says another one is refused. */
  readonly size: number;
}

/** A participant and the round it is in. */
interface Membership {
  readonly member: string;
  readonly round: Round;
}

/**
 * Lets a fixed number of participants begin together, and end together.
 *
 *     const barrier = new DoubleBarrier(zk, '/taxi/load-test', { size: 5 });
 *     await barrier.enter();   // resolves for all five when the fifth has come
 *     await work();
 *     await barrier.leave();   // resolves for all five when the last is done
 *
 * One `DoubleBarrier` is one participant: enter, leave, enter again. The nodes are those of Curator's
 * DistributedDoubleBarrier, with which it can be shared: an ephemeral child for each who has come, and `ready`.
 *
 * - The size is stored with the first use, and stays. `resize` changes it for everybody: those who have a barrier follow, those
 *   who make another one must say the new size. Where Curator keeps an address in the node it is neither stored nor checked.
 * - It opens in one transaction with a check of each member, so that never fewer than `size` are let in, whoever gives up
 *   or dies meanwhile. A Curator that takes part opens without it.
 * - Who comes while a round is open waits until it is over, and counts for the next one. (With Curator it joins in.)
 * - Who dies inside has left. `leave` does not tell whether all have done their work.
 * - When `enter` is aborted its node is deleted, at once if the servers can be reached. Others may have been let in with
 *   it just before: to them it is a member that died inside. When `leave` is aborted, we have left all the same.
 * - After the session is lost, `leave` rejects: we are out already.
 * - Opening tells everybody, for that is what it is for: one notification and two requests for each. The last to come
 *   sends one transaction with as many checks as members. While they leave, the first in the order of names hears of one
 *   after the other, and all the others only when that one is gone. In all some 14 requests for each participant and
 *   round, few or many.
 */
export class DoubleBarrier {
  readonly path: string;
  readonly #zk: ZooKeeper;
  readonly #gathering: Gathering;
  #state: 'outside' | 'entering' | 'inside' | 'leaving' = 'outside';
  #membership: Membership | undefined;

  constructor(zk: ZooKeeper, path: string, { size, acl }: DoubleBarrierOptions) {
    checkPlace(zk, path);
    this.#zk = zk;
    this.path = path;
    this.#gathering = new Gathering(zk, path, { size: checkSize(size), acl: checkAccess(acl) });
  }

  /** How many must have come, as last heard of. */
  get size(): number {
    return this.#gathering.size;
  }

  /**
   * Changes the size for everybody, from the one that this barrier says. Those who wait are let in when they are enough now.
   * A round that is open goes on as it is.
   */
  async resize(size: number, options: WaitOptions = {}): Promise<void> {
    using limit = patience(options);
    await this.#gathering.resize(checkSize(size), { signal: limit.signal });
  }

  /** Resolves when `size` participants have come, this one included. */
  async enter(options: WaitOptions = {}): Promise<void> {
    using limit = patience(options);
    const { signal } = limit;
    if (this.#state !== 'outside') throw new BarrierStateError(this.path, 'enter', this.#state);
    signal?.throwIfAborted();
    this.#state = 'entering';
    try {
      const withdraw = ({ member }: Membership): void => this.#remove(member);
      this.#membership = await workUntilAborted(signal, this.#enter(signal), withdraw);
      this.#state = 'inside';
    } catch (error) {
      this.#state = 'outside';
      throw error;
    }
  }

  /** Resolves when all who went in have left, this one included. */
  async leave(options: WaitOptions = {}): Promise<void> {
    using limit = patience(options);
    const { signal } = limit;
    const membership = this.#membership;
    if (this.#state !== 'inside' || !membership) throw new BarrierStateError(this.path, 'leave', this.#state);
    this.#state = 'leaving';
    try {
      await workUntilAborted(signal, this.#untilOver(membership.round, membership.member, signal));
    } catch (error) {
      this.#remove(membership.member);
      throw error;
    } finally {
      this.#membership = undefined;
      this.#state = 'outside';
    }
  }

  async #enter(signal: AbortSignal | undefined): Promise<Membership> {
    await this.#gathering.agree({ signal });
    for (;;) {
      const { round: open } = await this.#gathering.present({ signal });
      if (open) await this.#untilOver(open, undefined, signal);
      const member = await this.#gathering.join({ signal });
      try {
        const round = await this.#untilOpen(lastSegment(member), signal);
        if (round) return { member, round };
      } catch (error) {
        this.#remove(member);
        throw error;
      }
      await remove(this.#zk, member);
    }
  }

  /** The round that this member is let into; undefined when one has been opened without it. */
  async #untilOpen(name: string, signal: AbortSignal | undefined): Promise<Round | undefined> {
    for (;;) {
      signal?.throwIfAborted();
      using change = new NextChange(this.#zk, signal);
      const waiting = await this.#gathering.waiting(change.watched);
      if (waiting) {
        if (!waiting.members.includes(name)) return undefined;
        if (waiting.members.length >= this.size) await this.#gathering.open(waiting, { signal });
        // Who comes later lists after coming: so the one that makes it enough sees that it is.
        else await change.happened;
      }
      // Before its watches are taken back: an opening has fired both of them by the time this is answered.
      const { members, round } = await this.#gathering.present({ signal });
      if (round) return remainingOf(round, members).includes(name) ? round : undefined;
    }
  }

  /** Resolves when nobody of the round is left, `own` included: that member leaves as soon as its turn comes. */
  async #untilOver(round: Round, own: string | undefined, signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      signal?.throwIfAborted();
      const present = await this.#gathering.present({ signal });
      const { members } = present;
      const isOpen = present.round?.id === round.id;
      const isThere = own !== undefined && members.includes(lastSegment(own));
      const remaining = isOpen || round.members ? remainingOf(round, members) : [];
      const [first, ...others] = remaining.map((name) => this.#gathering.pathOf(name));
      if (first === undefined || (isThere && others.length === 0)) {
        if (isOpen) await this.#gathering.close(present, isThere ? own : undefined);
        else if (isThere) await remove(this.#zk, own);
        else return;
      } else {
        using change = new NextChange(this.#zk, signal);
        // The first stays to the last, and sees to it that the round is closed. It waits for one of the others.
        const awaited = first === own ? others.at(-1) : first;
        const watching = awaited !== undefined && this.#isThere(awaited, change);
        const leaving = isThere && first !== own ? remove(this.#zk, own) : undefined;
        const [isAwaited] = await Promise.all([watching, leaving]);
        if (isAwaited) await change.happened;
      }
    }
  }

  /** Unlike `exists`, this leaves no watch behind where there is nothing. */
  async #isThere(path: string, { watched }: NextChange): Promise<boolean> {
    try {
      await this.#zk.get(path, watched);
      return true;
    } catch (error) {
      if (isQuorateError(error, 'no-node')) return false;
      throw error;
    }
  }

  /** Nobody waits for this; nothing is known that could be done if it fails. */
  #remove(member: string): void {
    remove(this.#zk, member).catch(() => undefined);
  }
}

function checkSize(size: unknown): number {
  if (typeof size === 'number' && Number.isInteger(size) && size >= 1 && size <= largestSize) return size;
  throw new InvalidArgumentError('size', `a whole number from 1 to ${largestSize}`, size);
}
