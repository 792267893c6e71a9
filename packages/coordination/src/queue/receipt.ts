import { isQuorateError } from '@quorate/core';
import type { Acl, Transaction, TransactionError, ZooKeeper } from '@quorate/zookeeper';

/** Far below what a version can count to. */
const mostUses = 2 ** 30;

/**
 * An ephemeral node of our own that each transaction changes along with what it is for. When a reply is lost, its version
 * tells whether the transaction happened. Looking for what was written would not do: somebody may have used it up already.
 * It is made before the first transaction, not by it: so where it is gone, somebody has deleted it, and nobody can tell.
 * For one transaction at a time.
 */
export class Receipt {
  readonly path: string;
  readonly #zk: ZooKeeper;
  readonly #acl: readonly Acl[] | undefined;
  /** Undefined while it is not there, for all that is known. */
  #version: number | undefined;
  #isCertain = true;

  constructor(zk: ZooKeeper, path: string, acl: readonly Acl[] | undefined) {
    this.#zk = zk;
    this.#acl = acl;
    this.path = path;
  }

  /** Whether it can tell of another transaction: it is known what it says now. */
  get isReusable(): boolean {
    return this.#isCertain && (this.#version ?? 0) < mostUses;
  }

  /** Makes it, unless it is there. */
  async ready(signal: AbortSignal | undefined): Promise<void> {
    if (this.#version !== undefined) return;
    // Until it is made: the wait may be aborted.
    this.#isCertain = false;
    while (this.#version === undefined) {
      try {
        await this.#zk.create(this.path, '', { mode: 'ephemeral', acl: this.#acl, signal });
        this.#version = 0;
      } catch (error) {
        // Nobody else has this name: it was made by an attempt whose reply was lost.
        if (isQuorateError(error, 'node-exists')) this.#version = 0;
        else if (!isQuorateError(error, 'ambiguous') || signal?.aborted) throw error;
      }
    }
    this.#isCertain = true;
  }

  /**
   * Commits what `write` adds to a transaction, exactly once. Ambiguous when the session ends, the wait is aborted, or
   * somebody deletes the receipt, before that is known.
   */
  async commit(write: (transaction: Transaction) => void, signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      await this.ready(signal);
      const version = this.#version ?? 0;
      const transaction = this.#zk.transaction().set(this.path, '', { version });
      write(transaction);
      try {
        await transaction.commit({ signal });
        this.#version = version + 1;
        return;
      } catch (error) {
        if (isQuorateError(error, 'no-node') && (error as TransactionError).index === 0) {
          // Somebody has deleted it, and nothing was done.
          this.#version = undefined;
          continue;
        }
        if (!isQuorateError(error, 'ambiguous')) throw error;
        if (await this.#hasHappened(version, error, signal)) return;
      }
    }
  }

  async #hasHappened(before: number, doubt: Error, signal: AbortSignal | undefined): Promise<boolean> {
    this.#isCertain = false;
    const reading = Promise.all([this.#zk.sync(this.path, { signal }), this.#zk.exists(this.path, { signal })]);
    const [, stat] = await reading.catch(() => {
      throw doubt;
    });
    if (stat === undefined) throw doubt;
    this.#version = stat.version;
    this.#isCertain = true;
    return this.#version !== before;
  }
}
