import { doubtful, InvalidArgumentError } from '@quorate/core';
import { type CallOptions, checkPath, type ZooKeeper } from '@quorate/zookeeper';
import { checkAccess } from './access.ts';
import type { AnyLock, LockAcquireOptions } from './any-lock.ts';
import { holding } from './lease/holding.ts';
import type { Lease } from './lease/lease.ts';
import { lockKind } from './line/kind.ts';
import { Line } from './line/line.ts';
import { LineLock, type LockOptions } from './line/line-lock.ts';
import type { Participant } from './line/participant.ts';
import { childOf } from './path.ts';
import { Permits } from './semaphore/permits.ts';
import { checkAcquireOptions, within } from './waiting/acquire-options.ts';

export interface SemaphoreOptions extends LockOptions {
  /** How many hold it at once. The first to use the path stores it there; whoever says another number is refused. */
  readonly permits: number;
}

/**
 * So many hold it at once, first come, first served.
 *
 *     const uploads = new Semaphore(zk, '/limits/uploads', { permits: 3 });
 *     await uploads.with((lease) => upload({ signal: lease.signal }));
 *
 * The number is stored with the first use, and stays. `resize` changes it for everybody: those who use the semaphore follow,
 * those who make another one must say the new number. Where another client keeps data of its own in the node, it is neither
 * stored nor checked.
 *
 * Hazards: those of `Lock`. Tokens increase with each permit that is given out, but several are valid at once. Curator's
 * semaphores neither store nor check the number: then as many hold it as the most generous allows.
 */
export class Semaphore implements AnyLock {
  readonly path: string;
  /** Those who wait do so here; only the first of them looks after the permits, so that one that is returned wakes one. */
  readonly #turnstile: LineLock;
  readonly #permits: LineLock;
  readonly #agreed: Permits;

  constructor(zk: ZooKeeper, path: string, { permits, ...options }: SemaphoreOptions) {
    checkPath(path);
    this.path = path;
    const acl = checkAccess(options.acl);
    this.#agreed = new Permits(zk, path, { permits: checkPermits(permits), acl });
    // Nobody asks for a turn: only what is told of who waits matters there.
    this.#turnstile = new LineLock(new Line(zk, childOf(path, 'locks'), lockKind, options), 'lock-', {
      id: options.id,
    });
    this.#permits = new LineLock(this.#agreed.line, 'lease-', options);
  }

  async acquire(options: LockAcquireOptions = {}): Promise<Lease> {
    checkAcquireOptions(options);
    if (options.holding !== undefined) return this.#permits.acquire(options);
    return within(this.path, options, async (signal) => {
      await this.#agreed.agree({ signal });
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
    checkAcquireOptions(options);
    await this.#agreed.agree(options);
    return this.#permits.tryAcquire(options);
  }

  async with<T>(work: (lease: Lease) => T | Promise<T>, options: LockAcquireOptions = {}): Promise<T> {
    if (typeof work !== 'function') throw new InvalidArgumentError('work', 'a function', work);
    return holding(await this.acquire(options), work);
  }

  /**
   * Changes the number of permits for everybody, from the one that this semaphore says. Whoever waits is let in when there
   * are more. When there are fewer, those who hold one keep it until they let go, and nobody else is let in before.
   */
  async resize(permits: number, { signal }: CallOptions = {}): Promise<void> {
    await this.#agreed.resize(checkPermits(permits), { signal });
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

function checkPermits(permits: unknown): number {
  if (typeof permits === 'number' && Number.isInteger(permits) && permits >= 1 && permits <= 10_000) return permits;
  throw new InvalidArgumentError('permits', 'a whole number from 1 to 10000', permits);
}
