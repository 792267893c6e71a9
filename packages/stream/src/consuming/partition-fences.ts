import { isQuorateError } from '@quorate/core';
import type { Driver } from '../driver/driver.ts';
import type { ReadRecord, TopicPartition } from '../driver/record.ts';
import type { Transactor } from '../driver/transactor.ts';
import { StreamClosedError } from '../errors/stream-closed-error.ts';
import { readRanges } from '../reading/read-ranges.ts';
import { isToken } from '../topic/headers.ts';

/** How long a predecessor's transaction may stay open when nobody takes over from it. */
const transactionTimeout = 10_000;

interface Raise {
  readonly name: string;
  readonly token: bigint;
  /** With whether it is one: a newer one may have come meanwhile. */
  readonly resolve: (admitted: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The newest fencing token of each key of one partition, kept in a partition of a compacted topic. Whoever has the partition writes there, and nobody else can: each takes the transactional
 * id over from its predecessor, whose late write would otherwise lower a token again.
 */
export class PartitionFences {
  readonly #driver: Driver;
  /** Of the compacted topic. */
  readonly #place: TopicPartition;
  readonly #id: string;
  readonly #tokens: Map<string, bigint>;
  #transactor: Transactor | undefined;
  #raises: Raise[] = [];
  #raising = false;
  #closed = false;

  /** Takes over, and reads what is there. */
  static async open(driver: Driver, place: TopicPartition, id: string, signal: AbortSignal): Promise<PartitionFences> {
    const transactor = await driver.transactor(id, { timeout: transactionTimeout, signal });
    try {
      return new PartitionFences(driver, place, id, transactor, await tokensAt(driver, place, signal));
    } catch (error) {
      await transactor.close();
      throw error;
    }
  }

  private constructor(
    driver: Driver,
    place: TopicPartition,
    id: string,
    transactor: Transactor,
    tokens: Map<string, bigint>,
  ) {
    this.#driver = driver;
    this.#place = place;
    this.#id = id;
    this.#transactor = transactor;
    this.#tokens = tokens;
  }

  /** Whether a message with this token may have an effect: false when a newer one has been seen. A newer one is in Kafka when it resolves. */
  async admits(key: Buffer | null, token: bigint): Promise<boolean> {
    const name = nameOf(key);
    const newest = this.#tokens.get(name);
    if (newest !== undefined && token < newest) return false;
    if (token === newest) return true;
    return await new Promise<boolean>((resolve, reject) => {
      this.#raises.push({ name, token, resolve, reject });
      void this.#raise();
    });
  }

  /** Nothing is raised any more: whoever took the id over once more would fence its successor. */
  close(): void {
    this.#closed = true;
    void this.#transactor?.close();
  }

  /** All that are wanted meanwhile go in the next transaction together. */
  async #raise(): Promise<void> {
    if (this.#raising) return;
    this.#raising = true;
    while (this.#raises.length > 0) {
      const raises = this.#raises;
      this.#raises = [];
      try {
        const newest = new Map<string, bigint>();
        // Messages without a key are worked on side by side: several of one name can be here.
        const outcomes = raises.map(({ name, token, resolve }) => {
          const before = newest.get(name) ?? this.#tokens.get(name) ?? -1n;
          if (token > before) newest.set(name, token);
          return () => resolve(token >= before);
        });
        if (newest.size > 0) await this.#write(newest);
        for (const [name, token] of newest) this.#tokens.set(name, token);
        for (const tell of outcomes) tell();
      } catch (error) {
        for (const { reject } of raises) reject(error);
      }
    }
    this.#raising = false;
  }

  async #write(newest: ReadonlyMap<string, bigint>): Promise<void> {
    if (this.#closed) throw new StreamClosedError('the work on the partition');
    const signal = new AbortController().signal;
    this.#transactor ??= await this.#driver.transactor(this.#id, { timeout: transactionTimeout, signal });
    const transactor = this.#transactor;
    const records = [...newest].map(([name, token]) => ({
      key: Buffer.from(name, 'latin1'),
      value: Buffer.from(token.toString()),
      headers: [],
      timestamp: Date.now(),
    }));
    try {
      await transactor.begin();
      await transactor.append([{ ...this.#place, records }]);
      await transactor.commit();
    } catch (error) {
      // Whoever was fenced stays fenced: it is the successor who goes on. Otherwise another transactor does.
      if (!isQuorateError(error, 'fenced-producer')) this.#transactor = undefined;
      await transactor.close();
      throw error;
    }
  }
}

/** A topic is compacted by keys, so what has no key gets one that no other has. */
function nameOf(key: Buffer | null): string {
  return key === null ? 'none' : `key ${key.toString('latin1')}`;
}

async function tokensAt(
  driver: Driver,
  { topic, partition }: TopicPartition,
  signal: AbortSignal,
): Promise<Map<string, bigint>> {
  const tokens = new Map<string, bigint>();
  const [begin, end] = await Promise.all([
    driver.admin.offsets(topic, 'earliest', signal),
    driver.admin.offsets(topic, 'latest', signal),
  ]);
  const [from, to] = [begin.get(partition), end.get(partition)];
  // Not every broker knows each partition as soon as it is there. What is in it is not to be taken for nothing.
  if (from === undefined || to === undefined) throw new Error(`${topic} has no partition ${partition} yet`);
  const take = (_: number, { key, value }: ReadRecord): undefined => {
    const token = value?.toString() ?? '';
    // Whoever may write to the topic can put anything there.
    if (key !== null && isToken(token)) tokens.set(key.toString('latin1'), BigInt(token));
  };
  await readRanges(driver, topic, new Map([[partition, { from, to }]]), take, signal);
  return tokens;
}
