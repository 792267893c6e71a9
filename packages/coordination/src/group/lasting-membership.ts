import { aborted, isQuorateError, mayRetry } from '@quorate/core';
import type { CallOptions, Sessions, ZooKeeper } from '@quorate/zookeeper';
import { LeaseEndedError, tooLate } from '../errors/lease-ended-error.ts';
import { untilAborted } from '../waiting/until-aborted.ts';
import type { HeldMembership, Membership } from './membership.ts';

interface Joining {
  readonly id: string;
  readonly node: string;
  readonly data: Uint8Array | string;
  readonly signal: AbortSignal | undefined;
}

type JoinIn = (zk: ZooKeeper, data: Uint8Array | string, signal: AbortSignal) => Promise<HeldMembership>;

/** Being in a group for as long as one likes: a membership in each session, one after the other. */
export class LastingMembership implements Membership {
  readonly id: string;
  readonly path: string;
  readonly #joinIn: JoinIn;
  readonly #over = new AbortController();
  readonly #controller = new AbortController();
  readonly #firstData: Uint8Array | string;
  /** Undefined between two sessions. */
  #current: HeldMembership | undefined;
  #latest: HeldMembership | undefined;
  #next = Promise.withResolvers<HeldMembership>();
  #running: Promise<void> = Promise.resolve();

  /** Resolves when others can see us for the first time. */
  static async join(sessions: Sessions, joining: Joining, joinIn: JoinIn): Promise<LastingMembership> {
    const membership = new LastingMembership(joining, joinIn);
    const { signal } = joining;
    const first = membership.#next.promise;
    membership.#running = membership.#stay(sessions);
    try {
      await untilAborted(signal, first);
      return membership;
    } catch (error) {
      await membership.leave().catch(() => undefined);
      throw error;
    }
  }

  private constructor({ id, node, data }: Joining, joinIn: JoinIn) {
    this.id = id;
    this.path = node;
    this.#firstData = data;
    this.#joinIn = joinIn;
  }

  /** Of the latest membership. */
  get token(): bigint {
    return this.#latest?.token ?? 0n;
  }

  /**
   * Aborts when we have left, and when the servers refuse us for good. Between two sessions it does not, though others do not
   * see us then.
   */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  async update(data: Uint8Array | string, { signal }: CallOptions = {}): Promise<void> {
    for (;;) {
      if (this.#controller.signal.aborted) throw tooLate(this.path, this.#controller.signal.reason);
      const membership = this.#current ?? (await untilAborted(signal, this.#next.promise));
      try {
        await membership.update(data, { signal });
        return;
      } catch (error) {
        if (!membership.signal.aborted || signal?.aborted) throw error;
      }
      if (this.#current === membership) this.#current = undefined;
    }
  }

  async leave({ signal }: CallOptions = {}): Promise<void> {
    this.#over.abort();
    if (!this.#controller.signal.aborted) this.#controller.abort(new LeaseEndedError(this.path, 'released'));
    await untilAborted(
      signal,
      this.#running.catch(() => undefined).then(() => undefined),
    );
  }

  /** Like `leave`. It never rejects. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.leave();
  }

  async #stay(sessions: Sessions): Promise<void> {
    const onFailure = (error: unknown): 'retry' | 'stop' =>
      mayRetry(error, { idempotent: true }) || (this.#latest && mayPass(error)) ? 'retry' : 'stop';
    let reason: unknown;
    try {
      await sessions.each((zk, { signal }) => this.#member(zk, signal), { signal: this.#over.signal, onFailure });
    } catch (error) {
      reason = error;
    }
    // We have left, or the sessions have been stopped, or the servers refuse us.
    if (!this.#controller.signal.aborted) {
      this.#controller.abort(new LeaseEndedError(this.path, 'lost', reason === undefined ? {} : { cause: reason }));
    }
    this.#next.promise.catch(() => undefined);
    this.#next.reject(reason ?? this.#controller.signal.reason);
  }

  /** In one session, until that is over or we leave. */
  async #member(zk: ZooKeeper, signal: AbortSignal): Promise<void> {
    // With what others have seen last, or may have: it is told again.
    const membership = await this.#joinIn(zk, this.#latest?.data ?? this.#firstData, signal);
    this.#latest = membership;
    this.#current = membership;
    const { resolve } = this.#next;
    this.#next = Promise.withResolvers();
    resolve(membership);
    await aborted(AbortSignal.any([signal, membership.signal]));
    this.#current = undefined;
    // Also when it is in doubt, or somebody has deleted its node, while the session lives on: then it joins again.
    await membership.leave();
    if (!signal.aborted) throw membership.signal.reason;
  }
}

/** What another attempt need not meet: a node that somebody has deleted, an id that is taken. All else is refused for good. */
function mayPass(error: unknown): boolean {
  return error instanceof LeaseEndedError || isQuorateError(error, 'already-joined');
}
