import { isQuorateError } from '@quorate/core';
import type { Transaction, ZooKeeper } from '@quorate/zookeeper';

/** Far below what a version can count to. */
const mostUses = 2 ** 30;

/**
 * An ephemeral node of our own that each transaction changes along with what it is for. When a reply is lost, its version
 * tells whether the transaction happened. Looking for what was written would not do: somebody may have used it up already.
 * For one transaction at a time.
 */
export class Receipt {
  readonly path: string;
  readonly #zk: ZooKeeper;
  #version: number | undefined;
  #isCertain = true;

  constructor(zk: ZooKeeper, path: string) {
    this.#zk = zk;
    this.path = path;
  }

  /** Whether it can tell of another transaction: it is known what it says now. */
  get isReusable(): boolean {
    return this.#isCertain && (this.#version ?? 0) < mostUses;
  }

  /** Commits what `write` adds to a transaction, exactly once. Ambiguous when the session ends, or the wait is aborted, before that is known. */
  async commit(write: (transaction: Transaction) => void, signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      const transaction = this.#zk.transaction();
      if (this.#version === undefined) transaction.create(this.path, '', { mode: 'ephemeral' });
      else transaction.set(this.path, '', { version: this.#version });
      write(transaction);
      try {
        await transaction.commit({ signal });
        this.#version = (this.#version ?? -1) + 1;
        return;
      } catch (error) {
        if (isQuorateError(error, 'no-node') && this.#version !== undefined) {
          // Somebody has deleted it, and nothing was done.
          this.#version = undefined;
          continue;
        }
        if (!isQuorateError(error, 'ambiguous')) throw error;
        if (await this.#hasHappened(error, signal)) return;
      }
    }
  }

  async #hasHappened(doubt: Error, signal: AbortSignal | undefined): Promise<boolean> {
    const before = this.#version;
    this.#isCertain = false;
    const reading = Promise.all([this.#zk.sync(this.path, { signal }), this.#zk.exists(this.path, { signal })]);
    const [, stat] = await reading.catch(() => {
      throw doubt;
    });
    if (before !== undefined && stat === undefined) throw doubt;
    this.#version = stat?.version;
    this.#isCertain = true;
    return this.#version !== before;
  }
}
