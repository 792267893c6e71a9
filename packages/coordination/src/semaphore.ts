import { doubtful, InvalidArgumentError } from '@quorate/core';
import { checkPath, type ZooKeeper } from '@quorate/zookeeper';
import type { AnyLock, LockAcquireOptions } from './any-lock.ts';
import { holding } from './lease/holding.ts';
import type { Lease } from './lease/lease.ts';
import { lockKind, permitKind } from './line/kind.ts';
import { Line } from './line/line.ts';
import { LineLock, type LockOptions } from './line/line-lock.ts';
import type { Participant } from './line/participant.ts';
import { childOf } from './path.ts';
import { checkAcquireOptions, within } from './waiting/acquire-options.ts';

export interface SemaphoreOptions extends LockOptions {
  /** How many hold it at once. Everybody must say the same. */
  readonly permits: number;
}

/**
 * So many hold it at once, first come, first served.
 *
 *     const uploads = new Semaphore(zk, '/limits/uploads', { permits: 3 });
 *     await uploads.with((lease) => upload({ signal: lease.signal }));
 *
 * Hazards: those of `Lock`. Whoever says another number of permits is not refused: then as many hold it as the most
 * generous allows. Tokens increase with each permit that is given out, but several are valid at once.
 */
export class Semaphore implements AnyLock {
  readonly path: string;
  /** Those who wait do so here; only the first of them looks after the permits, so that one that is returned wakes one. */
  readonly #turnstile: LineLock;
  readonly #permits: LineLock;

  constructor(zk: ZooKeeper, path: string, { permits, ...options }: SemaphoreOptions) {
    checkPath(path);
    if (!(Number.isInteger(permits) && permits >= 1 && permits <= 10_000)) {
      throw new InvalidArgumentError('permits', 'a whole number from 1 to 10000', permits);
    }
    this.path = path;
    // Nobody asks for a turn: only what is told of who waits matters there.
    this.#turnstile = new LineLock(new Line(zk, childOf(path, 'locks'), lockKind, options), 'lock-', {
      id: options.id,
    });
    this.#permits = new LineLock(
      new Line(zk, childOf(path, 'leases'), permitKind(permits), options),
      'lease-',
      options,
    );
  }

  async acquire(options: LockAcquireOptions = {}): Promise<Lease> {
    checkAcquireOptions(options);
    if (options.holding !== undefined) return this.#permits.acquire(options);
    return within(this.path, options, async (signal) => {
      const turn = await this.#turnstile.acquire({ signal });
      try {
        return await this.#permits.acquire({ signal });
      } catch (error) {
        // Others have seen us in line.
        throw doubtful(error, { idempotent: true });
      } finally {
        // The next one may come; nobody need wait for that here.
        turn.release().catch(() => undefined);
      }
    });
  }

  async tryAcquire(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<Lease | undefined> {
    return this.#permits.tryAcquire(options);
  }

  async with<T>(work: (lease: Lease) => T | Promise<T>, options: LockAcquireOptions = {}): Promise<T> {
    if (typeof work !== 'function') throw new InvalidArgumentError('work', 'a function', work);
    return holding(await this.acquire(options), work);
  }

  async holders(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<Participant[]> {
    return this.#permits.holders(options);
  }

  async waiters(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<Participant[]> {
    return [...(await this.#permits.waiters(options)), ...(await this.#turnstile.waiters(options))];
  }

  async revoke(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<number> {
    return this.#permits.revoke(options);
  }
}
