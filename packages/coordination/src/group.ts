import { DeadlineExceededError, deadline, doubtful, InvalidArgumentError } from '@quorate/core';
import { type Acl, type CallOptions, checkPath, type ZooKeeper } from '@quorate/zookeeper';
import { type AccessOptions, checkAccess } from './access.ts';
import { type AnySession, areSessions, latestOfEach, sessionOf } from './each-session.ts';
import { AlreadyJoinedError } from './errors/already-joined-error.ts';
import { checkAnySession } from './given-session.ts';
import { Claim } from './group/claim.ts';
import { createMember, withdraw } from './group/join.ts';
import { LastingMembership } from './group/lasting-membership.ts';
import type { Member } from './group/member.ts';
import { HeldMembership, type Membership } from './group/membership.ts';
import { checkGroup, Roster } from './group/roster.ts';
import type { OnSuspended } from './lease/hold.ts';
import { proof } from './lease/proof.ts';
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
 * - Over `Sessions` a member joins again in each session, with the data that was accepted last, and waits there for its id to
 *   be free. When the servers refuse it for good, as they do without the permission, `signal` aborts with the reason.
 * - Two processes that share a session, if there were such, would take one another's node for their own.
 * - `watch` reads a member again when it changes, and everybody after the connection has broken. It keeps all
 *   members in memory, with their data. It needs servers of 3.6 or later.
 */
export class Group {
  readonly path: string;
  readonly #session: AnySession;
  readonly #acl: readonly Acl[] | undefined;
  /** The sessions that have seen that it is a group: nobody makes something else of it while members come and go. */
  readonly #seenBy = new WeakSet<ZooKeeper>();

  constructor(session: AnySession, path: string, { acl }: AccessOptions = {}) {
    checkAnySession(session);
    checkPath(path);
    this.path = path;
    this.#session = session;
    this.#acl = checkAccess(acl);
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
    const roster = new Roster(await sessionOf(this.#session, signal), this.path);
    await roster.read('everything', signal);
    return roster.members;
  }

  /**
   * Who is there now, then after each change, in the order of joining; a slow reader gets the newest list only. Throws
   * when the session is lost, ends when it is closed; leaving the loop or aborting takes the watch back.
   */
  watch({ signal }: CallOptions = {}): AsyncIterableIterator<Member[], undefined> {
    return latestOfEach(this.#session, signal, (zk, either) => this.#watch(zk, either));
  }

  #watch(zk: ZooKeeper, signal: AbortSignal | undefined): AsyncIterableIterator<Member[], undefined> {
    const roster = new Roster(zk, this.path);
    return streamed(signal, (stream, over) =>
      follow(zk, this.path, {
        mode: 'recursive',
        signal: over,
        read: async (reading) => {
          if (await roster.read(reading, over)) stream.push(roster.members);
        },
      }),
    );
  }

  async #join(joiner: Joiner): Promise<Membership> {
    const session = this.#session;
    if (!areSessions(session)) return await this.#joinIn(session, joiner);
    return await LastingMembership.join(session, joiner, (zk, data, signal) =>
      this.#joinIn(zk, { ...joiner, data, signal }),
    );
  }

  async #joinIn(zk: ZooKeeper, { id, data, node, onSuspended, signal }: Joiner): Promise<HeldMembership> {
    for (let other = Claim.on(zk, node); other; other = Claim.on(zk, node)) {
      if (!other.leaving) throw new AlreadyJoinedError(this.path, id);
      await untilAborted(signal, other.gone);
    }
    const claim = new Claim(zk, node);
    try {
      if (!this.#seenBy.has(zk)) {
        const group = await zk.exists(this.path, { signal });
        if (group) checkGroup(this.path, group);
        this.#seenBy.add(zk);
      }
      const { stat, askedAt } = await createMember(zk, {
        path: this.path,
        node,
        id,
        data,
        acl: this.#acl,
        claim,
        signal,
      });
      // It is there: who gives up now takes it back.
      claim.doubtful = true;
      const provenAt = await proof(zk, node, askedAt, signal);
      return new HeldMembership(zk, {
        id,
        path: node,
        stat,
        data,
        provenAt,
        endsSuspended: onSuspended === 'stop',
        claim,
      });
    } catch (error) {
      claim.leaving = true;
      if (claim.doubtful) withdraw(zk, node).finally(() => claim.release());
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
