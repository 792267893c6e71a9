import { isQuorateError } from '@quorate/core';
import type { State, ZooKeeper } from '@quorate/zookeeper';
import { leaseEnds } from '../diagnostics.ts';
import { type LeaseEnd, LeaseEndedError } from '../errors/lease-ended-error.ts';
import { remove } from '../line/removal.ts';
import { settled } from '../line/waiting.ts';
import { watchedOwn } from '../waiting/watched-own.ts';
import { Pulse } from './pulse.ts';

/** What Curator writes into the node of a holder that is asked to let go. */
export const revocation = '__REVOKE__';

/**
 * What becomes of leases when the connection breaks.
 * - `stop`: they end at once. The session may live on, but nobody can say.
 * - `wait`: they end when the leader of the ensemble has not been heard of for half the session timeout, which is well
 *   before it can give the session up. Longer held over a short break; but all that stands between you and a second
 *   holder is then how well two clocks agree.
 */
export type OnSuspended = 'stop' | 'wait';

export interface HoldOptions {
  /** What errors call it: the path of the lock or the election. */
  readonly path: string;
  /** The node that stands for holding. */
  readonly node: string;
  readonly token: bigint;
  /** When the leader of the ensemble was asked for something that it has answered since. */
  readonly provenAt: number;
  readonly onSuspended: OnSuspended;
  /** Whether to hear when somebody asks for it, or deletes the node. One request more. */
  readonly watched: boolean;
  /** Called once when the node is gone, or the session is. */
  readonly onGone?: (() => void) | undefined;
}

/** A lease on a hold: told when it ends. */
interface Leaseholder {
  end(reason: LeaseEndedError): void;
}

/** A node of ours that stands for holding, and the leases on it. When the last of them is released the node goes. */
export class Hold {
  readonly zk: ZooKeeper;
  readonly path: string;
  readonly token: bigint;
  readonly #options: HoldOptions;
  readonly #leases = new Set<Leaseholder>();
  readonly #over = new AbortController();
  readonly #unwatch = new AbortController();
  #node: string;
  /** Another one that stands for it, for all that is known. */
  #other: string | undefined;
  /** The node that we watch is on its way out by our own doing. */
  #moving: Promise<void> | undefined;
  #ended: LeaseEndedError | undefined;
  #gone: Promise<void> | undefined;

  constructor(zk: ZooKeeper, options: HoldOptions) {
    this.zk = zk;
    this.path = options.path;
    this.#node = options.node;
    this.token = options.token;
    this.#options = options;
    const changed = (state: State): void => {
      if (state === 'suspended' && options.onSuspended === 'stop') this.end('suspended');
    };
    const lost = (): void => this.end('lost', zk.lost.reason);
    const calm = Pulse.of(zk).hold(options.provenAt, () => this.end('suspended'));
    zk.on('state', changed);
    zk.lost.addEventListener('abort', lost, { once: true });
    this.#over.signal.addEventListener('abort', () => {
      calm();
      zk.off('state', changed);
      zk.lost.removeEventListener('abort', lost);
    });
    changed(zk.state);
    if (zk.lost.aborted) lost();
    if (options.watched) this.#watch();
  }

  /** The node that stands for it now. */
  get node(): string {
    return this.#node;
  }

  /** Why it is not held any more. Asks the clock: after a pause our timers may be late. */
  get ended(): LeaseEndedError | undefined {
    void this.zk.state;
    Pulse.of(this.zk).check();
    return this.#ended;
  }

  add(lease: Leaseholder): void {
    this.#leases.add(lease);
    if (this.#ended) lease.end(this.#ended);
  }

  /** Ends all leases on it, before anybody else can hold it. The node stays until they are released. */
  end(reason: LeaseEnd, cause?: unknown): void {
    // Asked for, it is still held; whatever else comes is final.
    if (this.#ended && this.#ended.reason !== 'revoked') return;
    this.#ended = new LeaseEndedError(this.path, reason, cause === undefined ? {} : { cause });
    for (const lease of this.#leases) lease.end(this.#ended);
  }

  /** Resolves when the lease means nothing to others any more. */
  async drop(lease: Leaseholder, reason: LeaseEndedError): Promise<void> {
    this.#leases.delete(lease);
    if (this.#leases.size === 0) await this.#letGo(reason);
  }

  /** Whether this lease is the only one on it. */
  isOnly(lease: Leaseholder): boolean {
    return this.#leases.size === 1 && this.#leases.has(lease);
  }

  get isMoving(): boolean {
    return this.#moving !== undefined;
  }

  /**
   * `move` puts another node in place of this one, at once. When it fails either may be there, and letting go sees to both.
   * Whoever lets go meanwhile waits for it.
   */
  async moveTo(node: string, move: () => Promise<void>): Promise<void> {
    this.#other = node;
    this.#moving = move().then(() => {
      this.#node = node;
      this.#other = undefined;
    });
    try {
      await this.#moving;
    } catch (error) {
      this.end('lost', error);
      throw error;
    } finally {
      this.#moving = undefined;
    }
    if (this.#gone) throw this.#ended;
    if (this.#options.watched) this.#watch();
  }

  #letGo(reason: LeaseEndedError): Promise<void> {
    this.#gone ??= this.#remove(reason);
    return this.#gone;
  }

  async #remove(reason: LeaseEndedError): Promise<void> {
    this.#ended ??= reason;
    this.#over.abort(settled);
    if (leaseEnds.hasSubscribers) leaseEnds.publish({ path: this.path, token: this.token, reason: this.#ended.reason });
    try {
      await this.#moving?.catch(() => undefined);
      const left = this.#other === undefined ? [this.#node] : [this.#node, this.#other];
      await Promise.all(left.map((node) => remove(this.zk, node)));
    } finally {
      // Not before: the node takes its watch along, and to take it back would be a request of its own.
      this.#unwatch.abort(settled);
      this.#options.onGone?.();
    }
  }

  /** Hears of changes to the node for as long as it is held. */
  #watch(): void {
    const { node } = this;
    const isCurrent = (): boolean => node === this.node && !this.#over.signal.aborted && !this.#moving;
    watchedOwn(
      this.#over.signal,
      async (again) => {
        if (!isCurrent()) return;
        const { data } = await this.zk.get(node, { watch: again, signal: this.#unwatch.signal });
        if (data.toString() === revocation) this.end('revoked');
      },
      (error) => {
        if (isCurrent() && isQuorateError(error, 'no-node')) this.end('lost', error);
      },
    );
  }
}
