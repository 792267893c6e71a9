import { isQuorateError } from '@quorate/core';
import type { Acl, CallOptions, NodeData, ReadOptions, ZooKeeper } from '@quorate/zookeeper';
import { type AccessOptions, checkAccess } from './access.ts';
import { WrongKindError } from './errors/wrong-kind-error.ts';
import { checkPlace } from './place.ts';
import { markOf, otherKind } from './used-for.ts';
import { checkAcquireOptions } from './waiting/acquire-options.ts';
import { NextChange } from './waiting/next-change.ts';
import { onceBegun } from './waiting/once-begun.ts';
import { upToDate } from './waiting/up-to-date.ts';
import { patience, type WaitOptions } from './waiting/wait-options.ts';

/**
 * Holds back everybody who comes to it, until somebody lifts it for all.
 *
 *     const barrier = new Barrier(zk, '/taxi/maintenance');
 *     await barrier.raise();                    // one process closes it …
 *     await barrier.wait({ timeout: 60_000 });  // … the others stop here …
 *     await barrier.lift();                     // … and go on together
 *
 * A node at the path means closed, none means open, as in Curator's DistributedBarrier, with which it can be shared. The
 * node is persistent: a barrier stays closed when who raised it is gone.
 *
 * - It is a signal, not a lock: it may be raised again as soon as `wait` has resolved.
 * - Raising what is raised and lifting what is open does nothing; whoever lifts, lifts it for all.
 * - A `raise` whose reply is lost is repeated. When somebody lifts in between, the barrier may end up closed.
 * - Lifting wakes all who wait: one notification and two requests for each.
 */
export class Barrier {
  readonly path: string;
  readonly #zk: ZooKeeper;
  readonly #acl: readonly Acl[] | undefined;

  constructor(zk: ZooKeeper, path: string, { acl }: AccessOptions = {}) {
    checkPlace(zk, path);
    this.#acl = checkAccess(acl);
    this.#zk = zk;
    this.path = path;
  }

  /** Closes it. Who waits from now on, waits for `lift`. */
  async raise({ signal }: CallOptions = {}): Promise<void> {
    checkAcquireOptions({ signal });
    await onceBegun({ idempotent: true }, async (begun) => {
      for (;;) {
        try {
          await this.#zk.create(this.path, markOf('barrier'), { acl: this.#acl, parents: true, signal });
          return;
        } catch (error) {
          if (isQuorateError(error, 'node-exists')) {
            await this.#look({ signal });
            return;
          }
          if (!isQuorateError(error, 'ambiguous') || signal?.aborted) throw error;
          begun();
        }
      }
    });
  }

  /** Opens it, and lets all through who wait. */
  async lift({ signal }: CallOptions = {}): Promise<void> {
    checkAcquireOptions({ signal });
    const closed = await this.#look({ signal });
    if (!closed) return;
    await onceBegun({ idempotent: false }, async (begun) => {
      for (;;) {
        try {
          return await this.#zk.delete(this.path, { signal });
        } catch (error) {
          if (isQuorateError(error, 'no-node')) return;
          if (isQuorateError(error, 'not-empty')) throw this.#wrongKind('a node with children');
          if (!isQuorateError(error, 'ambiguous') || signal?.aborted) throw error;
        }
        begun();
        // Once only: another barrier that stands there by now was raised after ours was lifted.
        const now = await this.#look({ signal });
        if (now?.stat.czxid !== closed.stat.czxid) return;
      }
    });
  }

  /** Resolves when it is open; at once when it is open now. */
  async wait(options: WaitOptions = {}): Promise<void> {
    using limit = patience(options);
    for (;;) {
      using change = new NextChange(this.#zk, limit.signal);
      if (!(await this.#look(change.watched))) return;
      await change.happened;
    }
  }

  /** Its node, or undefined when it is open. A watch is placed only on a node that is there: none is left behind. */
  async #look(options: ReadOptions): Promise<NodeData | undefined> {
    try {
      const read = (): Promise<NodeData> => this.#zk.get(this.path, options);
      const found = await upToDate(this.#zk, this.path, read, options.signal);
      const other = found.stat.numChildren > 0 ? 'a node with children' : otherKind('barrier', found.data);
      if (other) throw this.#wrongKind(other);
      return found;
    } catch (error) {
      if (isQuorateError(error, 'no-node')) return undefined;
      throw error;
    }
  }

  #wrongKind(found: string): WrongKindError {
    return new WrongKindError(this.path, 'a barrier', found);
  }
}
