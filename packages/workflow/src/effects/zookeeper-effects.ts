import { checkNames, type Duration, duration, InvalidArgumentError, isQuorateError, QuorateError } from '@quorate/core';
import { FencedError } from '../errors/fenced-error.ts';
import { RevokedError } from '../errors/revoked-error.ts';
import {
  alone,
  checkUndo,
  type EffectState,
  type Effects,
  type Fence,
  given,
  kept,
  type OnceOptions,
  type OnceSettings,
  type UndoOptions,
} from './effects.ts';
import type { JsonNode, ZooKeeperClient, ZooKeeperTransaction } from './zookeeper-client.ts';

export interface ZooKeeperEffectsOptions {
  /** The node above all that is remembered. Default `/quorate/effects`. */
  readonly path?: string;
}

interface Entry {
  readonly state: EffectState;
  /** JSON. */
  readonly result: string | null;
}

/**
 * Effects in ZooKeeper: what the effect adds to the transaction, and the key, are written together or not at all.
 *
 *     const effects = new ZooKeeperEffects(zk);
 *     await effects.create();
 *     await effects.once((tx) => void tx.set('/taxi/dataset', '7'));
 *
 * Hazards: every key is a node until it is forgotten. What the effect reads by itself is as old as the member that it asks.
 */
export class ZooKeeperEffects<Transaction extends ZooKeeperTransaction> implements Effects<Transaction> {
  readonly #zk: ZooKeeperClient<Transaction>;
  readonly #path: string;

  constructor(zk: ZooKeeperClient<Transaction>, options: ZooKeeperEffectsOptions = {}) {
    checkNames('options', options, ['path']);
    const { path = '/quorate/effects' } = options;
    if (typeof path !== 'string' || !/^(?:\/[^/]+)+$/.test(path))
      throw new InvalidArgumentError('path', 'the path of a node, such as "/quorate/effects"', path);
    if (typeof (zk as { transaction?: unknown } | undefined)?.transaction !== 'function')
      throw new InvalidArgumentError('zk', 'a client of @quorate/zookeeper');
    this.#zk = zk;
    this.#path = path;
  }

  /** Makes the nodes above, if they are not there. */
  async create(): Promise<void> {
    for (const name of ['keys', 'fences']) {
      try {
        await this.#zk.create(`${this.#path}/${name}`, '', { parents: true });
      } catch (error) {
        if (!isQuorateError(error, 'node-exists')) throw error;
      }
    }
  }

  async once<Result>(
    effect: (transaction: Transaction) => Result | Promise<Result>,
    options: OnceOptions = {},
  ): Promise<Result> {
    return await alone(this, options, (settings) => this.#once(effect, settings));
  }

  async #once<Result>(
    effect: (transaction: Transaction) => Result | Promise<Result>,
    { key, fence }: OnceSettings,
  ): Promise<Result> {
    const path = this.#keyPath(key);
    for (;;) {
      const before = await this.#read<Entry>(path);
      if (before?.value.state === 'done') return given(before.value.result) as Result;
      if (before !== undefined) throw new RevokedError(key);
      const transaction = this.#zk.transaction();
      const bar = fence && (await this.#raise(transaction, fence));
      const result = kept(await effect(transaction));
      transaction.create(path, JSON.stringify({ state: 'done', result } satisfies Entry));
      const failure = await this.#commit(transaction);
      if (failure === undefined) return given(result) as Result;
      // Another attempt was quicker, or somebody else behind the fence: it is looked at anew. Anything else is the effect's own.
      const moved = bar !== undefined && (await this.#read(bar.path))?.version !== bar.version;
      if (!moved && (await this.#read(path)) === undefined) throw failure;
    }
  }

  async undo<Result>(
    compensation: (transaction: Transaction, result: Result) => unknown,
    options: UndoOptions = {},
  ): Promise<number> {
    let count = 0;
    for (const key of checkUndo(options)) if (await this.#undo(key, compensation)) count += 1;
    return count;
  }

  async forget(olderThan: Duration): Promise<number> {
    const ms = duration(olderThan, { name: 'olderThan' });
    const { names } = await this.#zk.children(`${this.#path}/keys`);
    let count = 0;
    for (const name of names) {
      const path = `${this.#path}/keys/${name}`;
      const node = await this.#read<Entry>(path);
      if (node === undefined || Date.now() - node.created < ms) continue;
      try {
        await this.#zk.delete(path, { version: node.version });
        count += 1;
      } catch (error) {
        if (!isQuorateError(error, 'no-node') && !isQuorateError(error, 'bad-version')) throw error;
      }
    }
    return count;
  }

  async #undo<Result>(
    key: string,
    compensation: (transaction: Transaction, result: Result) => unknown,
  ): Promise<boolean> {
    const path = this.#keyPath(key);
    for (;;) {
      const before = await this.#read<Entry>(path);
      if (before !== undefined && before.value.state !== 'done') return false;
      const transaction = this.#zk.transaction();
      if (before === undefined) {
        transaction.create(path, JSON.stringify({ state: 'revoked', result: null } satisfies Entry));
      } else {
        await compensation(transaction, given(before.value.result) as Result);
        const entry: Entry = { state: 'undone', result: before.value.result };
        transaction.set(path, JSON.stringify(entry), { version: before.version });
      }
      const failure = await this.#commit(transaction);
      if (failure === undefined) return before !== undefined;
      if ((await this.#read<Entry>(path))?.version === before?.version) throw failure;
    }
  }

  /** Adds to the transaction that nobody newer was here until it is committed. */
  async #raise(
    transaction: Transaction,
    { name, token }: Fence,
  ): Promise<{ readonly path: string; readonly version: number | undefined }> {
    const path = `${this.#path}/fences/${encodeURIComponent(name)}`;
    const known = await this.#read<string>(path);
    if (known !== undefined && BigInt(known.value) > token) throw new FencedError(name, token);
    const text = JSON.stringify(String(token));
    if (known === undefined) transaction.create(path, text);
    else transaction.set(path, text, { version: known.version });
    return { path, version: known?.version };
  }

  /** Why it was not committed. Throws when nobody knows whether it was: with the same key it may be tried again. */
  async #commit(transaction: Transaction): Promise<unknown> {
    try {
      await transaction.commit();
      return undefined;
    } catch (error) {
      if (isQuorateError(error) && error.happened === 'no' && !error.retryable) return error;
      throw new QuorateError('nobody knows whether the effect was done: the same key tells when it is tried again', {
        code: 'effect-in-doubt',
        retryable: true,
        cause: error,
      });
    }
  }

  async #read<Value>(path: string): Promise<JsonNode<Value> | undefined> {
    try {
      const { data, stat } = await this.#zk.get(path);
      const value = JSON.parse(Buffer.from(data).toString()) as Value;
      return { value, version: stat.version, created: Number(stat.ctime) };
    } catch (error) {
      if (isQuorateError(error, 'no-node')) return undefined;
      throw error;
    }
  }

  #keyPath(key: string): string {
    return `${this.#path}/keys/${encodeURIComponent(key)}`;
  }
}
