import { InvalidArgumentError, isQuorateError } from '@quorate/core';
import type { ZooKeeper } from '@quorate/zookeeper';
import type { AnyLock, LockAcquireOptions } from '../any-lock.ts';
import { acquires } from '../diagnostics.ts';
import { LeaseEndedError } from '../errors/lease-ended-error.ts';
import { HeldLease } from '../lease/held-lease.ts';
import { Hold, revocation } from '../lease/hold.ts';
import { holding } from '../lease/holding.ts';
import type { Lease } from '../lease/lease.ts';
import { lastSegment } from '../path.ts';
import { checkAcquireOptions, within } from '../waiting/acquire-options.ts';
import { read } from './kind.ts';
import type { Line, Place } from './line.ts';
import { checkId, checkOnSuspended, defaultId, type LineOptions } from './line-options.ts';
import { type Participant, participants } from './participant.ts';

export interface LockOptions extends LineOptions {
  /** Whether the lease's signal aborts when `revoke` asks for it, or somebody deletes its node. One request more. */
  readonly revocable?: boolean | undefined;
}

/** A lock whose holder is the first in a line. */
export class LineLock implements AnyLock {
  readonly #line: Line;
  readonly #mark: string;
  readonly #options: Required<{ [Name in Exclude<keyof LockOptions, 'acl'>]: NonNullable<LockOptions[Name]> }>;

  constructor(line: Line, mark: string, { id = defaultId(), onSuspended = 'stop', revocable = false }: LockOptions) {
    if (typeof revocable !== 'boolean') throw new InvalidArgumentError('revocable', 'true or false', revocable);
    this.#line = line;
    this.#mark = mark;
    this.#options = { id: checkId(id), onSuspended: checkOnSuspended(onSuspended), revocable };
  }

  get path(): string {
    return this.#line.path;
  }

  async acquire(options: LockAcquireOptions = {}): Promise<Lease> {
    checkAcquireOptions(options);
    if (options.holding !== undefined) return this.#again(options.holding);
    const wait = (): Promise<Place> =>
      within(this.path, options, (signal, onAhead) => this.#line.enter({ ...this.#entry(signal), onAhead }));
    if (!acquires.hasSubscribers) return this.#held(await wait());
    return this.#held(await acquires.tracePromise(wait, { path: this.path, what: this.#line.kind.what }));
  }

  async tryAcquire({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<Lease | undefined> {
    checkAcquireOptions({ signal });
    const created = await this.#line.enterAtOnce(this.#entry(signal));
    return created && this.#held(created);
  }

  async with<T>(work: (lease: Lease) => T | Promise<T>, options: LockAcquireOptions = {}): Promise<T> {
    if (typeof work !== 'function') throw new InvalidArgumentError('work', 'a function', work);
    return holding(await this.acquire(options), work);
  }

  async holders({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<Participant[]> {
    return (await this.#participants(signal)).filter(({ holds }) => holds);
  }

  async waiters({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<Participant[]> {
    return (await this.#participants(signal)).filter(({ holds }) => !holds);
  }

  async revoke({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<number> {
    const holders = await this.holders({ signal });
    const asked = await Promise.all(holders.map(({ node }) => ask(this.#line.zk, node, signal)));
    return asked.filter(Boolean).length;
  }

  #entry(signal: AbortSignal | undefined): { mark: string; data: string; signal: AbortSignal | undefined } {
    return { mark: this.#mark, data: this.#options.id, signal };
  }

  #held({ path, token, provenAt }: Place): Lease {
    const { onSuspended, revocable } = this.#options;
    const hold = new Hold(this.#line.zk, {
      path: this.path,
      node: path,
      token,
      provenAt,
      onSuspended,
      watched: revocable,
    });
    return new HeldLease(hold);
  }

  #again(holding: Lease): Lease {
    const hold = HeldLease.holdOf(holding);
    if (hold?.path !== this.path || !this.#covers(hold)) {
      throw new InvalidArgumentError('holding', `a lease of ${this.path} that has not been released`);
    }
    if (hold.ended) throw hold.ended;
    if (hold.isMoving) throw new LeaseEndedError(this.path, 'released');
    return new HeldLease(hold);
  }

  /** Who writes may read as well. Who reads and wants to write would wait for itself. */
  #covers({ node }: Hold): boolean {
    return this.#mark === read || lastSegment(node).includes(this.#mark);
  }

  async #participants(signal: AbortSignal | undefined): Promise<Participant[]> {
    try {
      return (await participants(this.#line, signal)).filter(({ mark }) => mark === this.#mark);
    } catch (error) {
      // Nobody has ever stood in line, or not for a long time.
      if (isQuorateError(error, 'no-node')) return [];
      throw error;
    }
  }
}

/** Whether the holder was still there to be asked. */
async function ask(zk: ZooKeeper, node: string, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    await zk.set(node, revocation, { signal });
    return true;
  } catch (error) {
    if (isQuorateError(error, 'no-node')) return false;
    throw error;
  }
}
