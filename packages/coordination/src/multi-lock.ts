import { doubtful, InvalidArgumentError } from '@quorate/core';
import type { Transaction } from '@quorate/zookeeper';
import type { AnyLock } from './any-lock.ts';
import { holding } from './lease/holding.ts';
import type { Lease } from './lease/lease.ts';
import { type AcquireOptions, checkAcquireOptions, within } from './waiting/acquire-options.ts';

/** Several leases as one: it ends when any of them does. */
export interface MultiLease extends Lease {
  /** That of the first lock, in the order of their paths: whoever needs the same locks has a larger one later. */
  readonly token: bigint;
  /** The token of each lock, by its path. */
  readonly tokens: ReadonlyMap<string, bigint>;
}

/** Several locks that are held together or not at all. */
export interface MultiLock {
  readonly locks: readonly AnyLock[];
  acquire(options?: AcquireOptions): Promise<MultiLease>;
  tryAcquire(options?: { readonly signal?: AbortSignal | undefined }): Promise<MultiLease | undefined>;
  with<T>(work: (lease: MultiLease) => T | Promise<T>, options?: AcquireOptions): Promise<T>;
}

/**
 * Several locks as one, without a deadlock: they are acquired in the order of their paths, whatever the order they are
 * given in, and all are let go of when one cannot be had.
 *
 *     const both = multiLock([new Lock(zk, '/cabs/42'), new Lock(zk, '/cabs/7')]);
 *     await both.with((lease) => swap({ signal: lease.signal }));
 *
 * Hazards: those of `Lock`. No deadlock among those who take their locks this way; who holds one of them already and
 * waits for the others by hand can still make one. Give each resource the token of its own lock, from `tokens`.
 */
export function multiLock(locks: readonly AnyLock[]): MultiLock {
  if (!Array.isArray(locks) || locks.length === 0) throw new InvalidArgumentError('locks', 'at least one lock', locks);
  if (!locks.every(isLock)) throw new InvalidArgumentError('locks', 'locks only', locks);
  const sorted = [...locks].sort((a, b) => (a.path < b.path ? -1 : 1));
  for (const [index, { path }] of sorted.entries()) {
    if (path === sorted[index + 1]?.path) throw new InvalidArgumentError('locks', 'each path once', path);
  }
  const acquire = async (options: AcquireOptions = {}): Promise<MultiLease> => {
    checkAcquireOptions(options);
    const what = sorted.map(({ path }) => path).join(' and ');
    return within(what, options, (signal) => together(sorted, signal, (lock, signal) => lock.acquire({ signal })));
  };
  return {
    locks: sorted,
    acquire,
    tryAcquire: async ({ signal } = {}) => {
      checkAcquireOptions({ signal });
      try {
        return await together(sorted, signal, async (lock, signal) => {
          const lease = await lock.tryAcquire({ signal });
          if (!lease) throw taken;
          return lease;
        });
      } catch (error) {
        if (error === taken) return undefined;
        throw error;
      }
    },
    with: async (work, options) => {
      if (typeof work !== 'function') throw new InvalidArgumentError('work', 'a function', work);
      return holding(await acquire(options), (lease) => work(lease as MultiLease));
    },
  };
}

function isLock(given: Partial<AnyLock> | null | undefined): boolean {
  return (
    typeof given?.path === 'string' && typeof given.acquire === 'function' && typeof given.tryAcquire === 'function'
  );
}

const taken: unique symbol = Symbol('one of the locks is taken');

/** All of them or none. The wait for the next ends when one that is held already does. */
async function together(
  locks: readonly AnyLock[],
  signal: AbortSignal | undefined,
  get: (lock: AnyLock, signal: AbortSignal) => Promise<Lease>,
): Promise<MultiLease> {
  const leases = new Leases(signal);
  try {
    for (const lock of locks) leases.add(lock.path, await get(lock, leases.signal));
    return leases.held();
  } catch (error) {
    const released = leases.release().catch(() => undefined);
    // Who only tried is told when nothing is left; who gives up waiting is told at once.
    if (error === taken) await released;
    // Those that were held, others have seen.
    throw leases.tokens.size > 0 ? doubtful(error, { idempotent: true }) : error;
  }
}

class Leases implements MultiLease {
  readonly #leases = new Map<string, Lease>();
  readonly #ended = new AbortController();
  readonly #waiting: AbortSignal | undefined;
  readonly #aborted = (): void => this.#ended.abort(this.#waiting?.reason);

  /** While it waits for more, `waiting` ends it as well. */
  constructor(waiting: AbortSignal | undefined) {
    this.#waiting = waiting;
    if (waiting?.aborted) this.#aborted();
    waiting?.addEventListener('abort', this.#aborted, { once: true });
  }

  get token(): bigint {
    return [...this.#leases.values()][0]?.token ?? 0n;
  }

  get tokens(): ReadonlyMap<string, bigint> {
    return new Map([...this.#leases].map(([path, { token }]) => [path, token]));
  }

  get signal(): AbortSignal {
    // Each of them asks the clock.
    for (const { signal } of this.#leases.values()) if (signal.aborted) this.#ended.abort(signal.reason);
    return this.#ended.signal;
  }

  add(path: string, lease: Lease): void {
    this.#leases.set(path, lease);
    const { signal } = lease;
    const ended = (): void => this.#ended.abort(signal.reason);
    if (signal.aborted) ended();
    else signal.addEventListener('abort', ended, { once: true });
  }

  /** From here on it is a lease, which the signal of the wait does not end. */
  held(): this {
    this.#waiting?.removeEventListener('abort', this.#aborted);
    this.signal.throwIfAborted();
    return this;
  }

  guard(transaction: Transaction): Transaction {
    for (const lease of this.#leases.values()) lease.guard(transaction);
    return transaction;
  }

  async release(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    this.#waiting?.removeEventListener('abort', this.#aborted);
    await Promise.all([...this.#leases.values()].map((lease) => lease.release(options)));
  }

  /** Like `release`, but a server that refuses does not hide the error of the block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.release().catch(() => undefined);
  }
}
