import { backoff, isQuorateError, mayRetry } from '@quorate/core';
import type { CallOptions, Stat, State, ZooKeeper } from '@quorate/zookeeper';
import { type LeaseEnd, LeaseEndedError, tooLate } from '../errors/lease-ended-error.ts';
import { Pulse } from '../lease/pulse.ts';
import { tokenOf } from '../lease/token.ts';
import { onceBegun } from '../waiting/once-begun.ts';
import { OneAtATime } from '../waiting/one-at-a-time.ts';
import { workUntilAborted } from '../waiting/until-aborted.ts';
import { watchedOwn } from '../waiting/watched-own.ts';
import type { Claim } from './claim.ts';

/** Being in a group. Disposing of it leaves. */
export interface Membership extends AsyncDisposable {
  readonly id: string;
  /** The node that stands for it. */
  readonly path: string;
  /** A fencing token, as that of a lease. */
  readonly token: bigint;
  /** Aborts with a `LeaseEndedError` when we are not certain to be a member any more. */
  readonly signal: AbortSignal;
  /** Replaces the data that others see. */
  update(data: Uint8Array | string, options?: CallOptions): Promise<void>;
  /** Resolves when others can see that we have left. Aborting `signal` ends only the wait; leaving continues. */
  leave(options?: CallOptions): Promise<void>;
}

export interface MembershipOptions {
  readonly id: string;
  readonly path: string;
  readonly stat: Stat;
  readonly data: Uint8Array | string;
  /** When it was asked for. */
  readonly provenAt: number;
  /** Whether it ends when the connection breaks, before the session does. */
  readonly endsSuspended: boolean;
  /** Released when the node is gone. */
  readonly claim: Claim;
}

/** A membership and its node: it ends here, and then there. */
export class HeldMembership implements Membership {
  readonly id: string;
  readonly path: string;
  readonly token: bigint;
  readonly #zk: ZooKeeper;
  /** The transaction that created the node: another node has another one. */
  readonly #czxid: bigint;
  readonly #claim: Claim;
  readonly #controller = new AbortController();
  /** Aborts when the node is no longer our concern. */
  readonly #over = new AbortController();
  readonly #writes = new OneAtATime();
  #version: number;
  #data: Uint8Array | string;
  #left: Promise<void> | undefined;

  constructor(zk: ZooKeeper, { id, path, stat, data, provenAt, endsSuspended, claim }: MembershipOptions) {
    this.#zk = zk;
    this.id = id;
    this.path = path;
    this.token = tokenOf(zk, path, stat);
    this.#czxid = stat.czxid;
    this.#version = stat.version;
    this.#data = data;
    this.#claim = claim;
    const lost = (): void => this.#lose(zk.lost.reason);
    const changed = (state: State): void => {
      if (state === 'suspended' && endsSuspended) this.#end('suspended');
    };
    // A member of the ensemble that is cut off from its leader keeps us content while others see us go.
    const calm = Pulse.of(zk).hold(provenAt, () => this.#end('suspended'));
    zk.lost.addEventListener('abort', lost, { once: true });
    zk.on('state', changed);
    this.#over.signal.addEventListener('abort', () => {
      calm();
      zk.lost.removeEventListener('abort', lost);
      zk.off('state', changed);
    });
    changed(zk.state);
    if (zk.lost.aborted) lost();
    else this.#watch();
  }

  get signal(): AbortSignal {
    // A process that was stopped must not read "member" before its timers have run.
    void this.#zk.state;
    Pulse.of(this.#zk).check();
    return this.#controller.signal;
  }

  /** What others see, or may see: data that was refused is none of it. */
  get data(): Uint8Array | string {
    return this.#data;
  }

  async update(data: Uint8Array | string, { signal }: CallOptions = {}): Promise<void> {
    const update = (begun: () => void): Promise<void> => this.#update(data, signal, begun);
    await this.#writes.run(signal, () => onceBegun({ idempotent: true }, update));
  }

  async leave({ signal }: CallOptions = {}): Promise<void> {
    this.#left ??= this.#leave();
    await workUntilAborted(signal, this.#left);
  }

  /** Like `leave`, but a server that refuses does not hide the error of the block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.leave().catch(() => undefined);
  }

  async #update(data: Uint8Array | string, signal: AbortSignal | undefined, begun: () => void): Promise<void> {
    for (;;) {
      if (this.signal.aborted) throw tooLate(this.path, this.signal.reason);
      signal?.throwIfAborted();
      const before = this.#data;
      // From here on others may see it.
      this.#data = data;
      try {
        this.#version = (await this.#zk.set(this.path, data, { version: this.#version, signal })).version;
        return;
      } catch (error) {
        // Refused, or given up before it was sent.
        if (!isQuorateError(error) || error.happened === 'no') this.#data = before;
        const isAmbiguous = isQuorateError(error, 'ambiguous');
        const known = isAmbiguous || isQuorateError(error, 'bad-version') || isQuorateError(error, 'no-node');
        if (!known || signal?.aborted) throw error;
        if (isAmbiguous) begun();
      }
      // Nobody but us has a say in it, so that after a lost reply it is simply done again.
      if (!(await this.#isOurs(signal))) this.#lose();
    }
  }

  async #leave(): Promise<void> {
    this.#end('released');
    if (this.#over.signal.aborted) return;
    this.#claim.leaving = true;
    try {
      await this.#remove();
    } finally {
      this.#finish();
    }
  }

  /** A reply that is lost, or a member that is busy, is no reason to forget the node. */
  async #remove(): Promise<void> {
    const delays = backoff({ min: 20, max: 1_000 });
    for (;;) {
      try {
        await this.#zk.delete(this.path, { version: this.#version });
        return;
      } catch (error) {
        if (isQuorateError(error, 'no-node') || this.#zk.lost.aborted) return;
        const again = mayRetry(error, { idempotent: true }) || isQuorateError(error, 'bad-version');
        if (!again) throw error;
      }
      try {
        await delays.wait({ signal: this.#zk.lost });
        // It may be gone, and somebody else be there by now.
        if (!(await this.#isOurs(undefined))) return;
      } catch (error) {
        if (this.#zk.lost.aborted) return;
        throw error;
      }
    }
  }

  /** Whether the node is there and still the one that we have made. */
  async #isOurs(signal: AbortSignal | undefined): Promise<boolean> {
    const stat = await this.#zk.exists(this.path, { signal });
    if (stat?.czxid !== this.#czxid) return false;
    this.#version = stat.version;
    return true;
  }

  /** Hears when somebody deletes the node. */
  #watch(): void {
    const { signal } = this.#over;
    watchedOwn(
      signal,
      async (again) => {
        const stat = await this.#zk.exists(this.path, { watch: again, signal });
        if (stat?.czxid !== this.#czxid) this.#lose();
      },
      // Only the end of the session, which tells by itself.
      () => undefined,
    );
  }

  #lose(cause?: unknown): void {
    this.#end('lost', cause);
    this.#finish();
  }

  /** Only the first reason counts. */
  #end(reason: LeaseEnd, cause?: unknown): void {
    if (this.#controller.signal.aborted) return;
    this.#controller.abort(new LeaseEndedError(this.path, reason, cause === undefined ? {} : { cause }));
  }

  #finish(): void {
    if (this.#over.signal.aborted) return;
    this.#over.abort();
    this.#claim.release();
  }
}
