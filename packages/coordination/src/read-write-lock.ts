import { InvalidArgumentError, isQuorateError, retry } from '@quorate/core';
import { type Acl, checkPath, type ZooKeeper } from '@quorate/zookeeper';
import type { AnyLock } from './any-lock.ts';
import { LeaseEndedError } from './errors/lease-ended-error.ts';
import { HeldLease } from './lease/held-lease.ts';
import type { Hold } from './lease/hold.ts';
import type { Lease } from './lease/lease.ts';
import { withToken } from './line/contender.ts';
import { read, readWriteKind, write } from './line/kind.ts';
import { Line } from './line/line.ts';
import { LineLock, type LockOptions } from './line/line-lock.ts';
import { defaultId } from './line/line-options.ts';
import { lastSegment } from './path.ts';
import { workUntilAborted } from './waiting/until-aborted.ts';
import { upToDate } from './waiting/up-to-date.ts';

/**
 * Many may read at once, or one may write. First come, first served: readers that come after a writer wait for it.
 *
 *     const zones = new ReadWriteLock(zk, '/locks/zones');
 *     await zones.read.with(() => load());
 *     await using writing = await zones.write.acquire({ signal });
 *
 * Hazards: those of `Lock`. A reader cannot become a writer: two that tried would wait for one another for ever. A writer
 * can become a reader, by `downgrade`. The tokens of readers that hold at once differ; only a writer's is larger than all
 * before it.
 */
export class ReadWriteLock {
  readonly path: string;
  readonly read: AnyLock;
  readonly write: AnyLock;
  readonly #zk: ZooKeeper;
  readonly #id: string;
  readonly #acl: readonly Acl[] | undefined;

  constructor(zk: ZooKeeper, path: string, { id = defaultId(), ...others }: LockOptions = {}) {
    checkPath(path);
    this.path = path;
    this.#zk = zk;
    this.#id = id;
    const options = { id, ...others };
    const line = new Line(zk, path, readWriteKind, others);
    this.#acl = line.acl;
    this.read = new LineLock(line, read, options);
    this.write = new LineLock(line, write, options);
  }

  /**
   * Turns writing into reading without letting another writer in between. `writing` ends at once; the lease that is returned
   * has its token and its place in line, so that readers behind it get in and writers do not. When it rejects with anything
   * but an `invalid-argument` or what had ended `writing` before, or `writing` is released meanwhile, nothing is held any more.
   */
  async downgrade(writing: Lease, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<Lease> {
    const hold = HeldLease.holdOf(writing);
    if (!hold || hold.path !== this.path || !lastSegment(hold.node).includes(write)) {
      throw new InvalidArgumentError('writing', `a lease of the write lock of ${this.path} that has not been released`);
    }
    if (!hold.isOnly(writing as HeldLease)) {
      throw new InvalidArgumentError('writing', 'the only lease on its lock: release the others first');
    }
    if (hold.ended) throw hold.ended;
    if (hold.isMoving) throw new LeaseEndedError(this.path, 'released');
    signal?.throwIfAborted();
    const unwanted = (reading: Lease): void => void reading.release().catch(() => undefined);
    return workUntilAborted(signal, this.#downgraded(hold, writing as HeldLease), unwanted);
  }

  async #downgraded(hold: Hold, writing: HeldLease): Promise<Lease> {
    const from = hold.node;
    const mark = from.lastIndexOf(write);
    const to = from.slice(0, mark) + withToken(hold.token, read) + from.slice(mark + write.length);
    // Before others can read: the reply that tells us comes later.
    writing.end(new LeaseEndedError(this.path, 'released'));
    try {
      await hold.moveTo(to, () => this.#replace(from, to));
    } catch (error) {
      writing.release().catch(() => undefined);
      throw error;
    }
    const reading = new HeldLease(hold);
    await writing.release();
    return reading;
  }

  /** Both happen or neither does: at no time is there neither node, and at no time do both count. */
  async #replace(from: string, to: string): Promise<void> {
    for (;;) {
      try {
        await this.#zk.transaction().delete(from).create(to, this.#id, { mode: 'ephemeral', acl: this.#acl }).commit();
        return;
      } catch (error) {
        if (!isQuorateError(error, 'ambiguous') || this.#zk.lost.aborted) throw error;
        // It was done by us or not at all: nobody else has this name.
        if (await this.#isThere(to, error)) return;
      }
    }
  }

  /** Rejects with the doubt when a server will not tell. */
  async #isThere(node: string, doubt: unknown): Promise<boolean> {
    const look = async (): Promise<boolean> =>
      (await upToDate(this.#zk, node, () => this.#zk.exists(node))) !== undefined;
    const { lost } = this.#zk;
    const options = { attempts: Number.POSITIVE_INFINITY, idempotent: true, min: 20, max: 1_000, signal: lost };
    return await retry(look, options).catch(() => {
      throw doubt;
    });
  }
}
