import { DeadlineExceededError, deadline, doubtful, InvalidArgumentError } from '@quorate/core';
import { type CallOptions, checkPath, type ZooKeeper } from '@quorate/zookeeper';
import { AlreadyJoinedError } from './errors/already-joined-error.ts';
import { Claim } from './group/claim.ts';
import { createMember, withdraw } from './group/join.ts';
import type { Member } from './group/member.ts';
import { HeldMembership, type Membership } from './group/membership.ts';
import { Roster } from './group/roster.ts';
import type { OnSuspended } from './lease/hold.ts';
import { checkId, checkOnSuspended } from './line/line-options.ts';
import { childOf } from './path.ts';
import { type AcquireOptions, checkAcquireOptions } from './waiting/acquire-options.ts';
import { untilAborted } from './waiting/until-aborted.ts';
import { follow } from './watched/follow.ts';
import { streamed } from './watched/streamed.ts';

export interface JoinAs {
  /** A name that no other member has. It is the name of a node, so without a slash. */
  readonly id: string;
  /** What others get to see of us: an address, say. */
  readonly data?: Uint8Array | string | undefined;
}

/** `timeout` is for how long to wait until another session's member of the same id is gone. */
export interface JoinOptions extends AcquireOptions {
  /** What becomes of the membership when the connection breaks. Default `wait`: others see us for as long. */
  readonly onSuspended?: OnSuspended | undefined;
}

/**
 * Who is there: processes that join under an id, and are members until they leave, die or lose their session.
 *
 *     import { Group } from '@quorate/coordination';
 *     import { connect } from '@quorate/zookeeper';
 *
 *     await using zk = await connect('localhost:2181');
 *     const cabs = new Group(zk, '/taxi/cabs');
 *     await using membership = await cabs.join({ id: 'cab-42', data: 'http://10.0.0.42' });
 *     for await (const members of cabs.watch({ signal: membership.signal })) {
 *       console.log(members.map(({ id }) => id));
 *     }
 *
 * A member is an ephemeral node `<path>/<id>`, as with Curator's GroupMember: either sees the other.
 *
 * Hazards:
 * - A list of members is what was, not what is. A member that has died is listed until its session has expired, and
 *   one that is listed may be gone by now.
 * - Being listed is not holding: two members may both believe to be the first. To agree on one use `Election`.
 * - A process that has crashed and comes back with the same id waits until its former session has expired. Where
 *   another live process has the id, by mistake, it waits for as long as that lives: give a `timeout`.
 * - Two processes that share a session, if there were such, would take one another's node for their own.
 * - `watch` reads a member again when it changes, and everybody after the connection has broken. It keeps all
 *   members in memory, with their data. It needs servers of 3.6 or later.
 */
export class Group {
  readonly path: string;
  readonly #zk: ZooKeeper;

  constructor(zk: ZooKeeper, path: string) {
    checkPath(path);
    this.path = path;
    this.#zk = zk;
  }

  /** Resolves when others can see us. Aborting leaves nothing behind. */
  async join({ id, data = '' }: JoinAs, options: JoinOptions = {}): Promise<Membership> {
    const { signal, timeout, onSuspended = 'wait' } = options;
    const node = this.#nodeOf(id);
    checkAcquireOptions(options);
    checkOnSuspended(onSuspended);
    if (timeout === undefined) return await this.#join({ id, data, node, onSuspended, signal });
    using limit = deadline(timeout, signal);
    try {
      return await this.#join({ id, data, node, onSuspended, signal: limit.signal });
    } catch (error) {
      if (error !== limit.signal.reason || signal?.aborted) throw error;
      throw new DeadlineExceededError(
        `${node}: not a member within ${timeout} ms: is there another member with this id?`,
        {
          cause: error,
        },
      );
    }
  }

  /** Who is there, in the order of joining. */
  async members({ signal }: CallOptions = {}): Promise<Member[]> {
    const roster = new Roster(this.#zk, this.path);
    await roster.read('everything', signal);
    return roster.members;
  }

  /**
   * Who is there now, then after each change, in the order of joining; a slow reader gets the newest list only. Throws
   * when the session is lost, ends when it is closed; leaving the loop or aborting takes the watch back.
   */
  watch({ signal }: CallOptions = {}): AsyncIterableIterator<Member[], undefined> {
    const roster = new Roster(this.#zk, this.path);
    return streamed(signal, (stream, over) =>
      follow(this.#zk, this.path, {
        mode: 'recursive',
        signal: over,
        read: async (reading) => {
          if (await roster.read(reading, over)) stream.push(roster.members);
        },
      }),
    );
  }

  async #join({ id, data, node, onSuspended, signal }: Joiner): Promise<Membership> {
    for (let other = Claim.on(this.#zk, node); other; other = Claim.on(this.#zk, node)) {
      if (!other.leaving) throw new AlreadyJoinedError(this.path, id);
      await untilAborted(signal, other.gone);
    }
    const claim = new Claim(this.#zk, node);
    try {
      const stat = await createMember(this.#zk, { path: this.path, node, id, data, claim, signal });
      return new HeldMembership(this.#zk, { id, path: node, stat, endsSuspended: onSuspended === 'stop', claim });
    } catch (error) {
      claim.leaving = true;
      if (claim.doubtful) withdraw(this.#zk, node).finally(() => claim.release());
      else claim.release();
      // Others may have seen the member before it is deleted.
      throw claim.doubtful ? doubtful(error, { idempotent: true }) : error;
    }
  }

  #nodeOf(id: unknown): string {
    const name = checkId(id);
    if (name.includes('/'))
      throw new InvalidArgumentError('id', 'a name without a slash: it becomes the name of a node', id);
    const node = childOf(this.path, name);
    checkPath(node, 'id');
    return node;
  }
}

interface Joiner {
  readonly id: string;
  readonly data: Uint8Array | string;
  readonly node: string;
  readonly onSuspended: OnSuspended;
  readonly signal: AbortSignal | undefined;
}
