import { isQuorateError } from '@quorate/core';
import type { Driver } from '../driver/driver.ts';
import type { ReadRecord, TopicPartition } from '../driver/record.ts';
import type { Transactor } from '../driver/transactor.ts';
import { StreamClosedError } from '../errors/stream-closed-error.ts';
import { readRanges } from '../reading/read-ranges.ts';
import { isToken } from '../topic/headers.ts';
import type { IsOurs } from './guard.ts';

/** How long a predecessor's transaction may stay open when nobody takes over from it. */
const transactionTimeout = 10_000;

interface Raise {
  readonly name: string;
  readonly token: bigint;
  /** With whether it is one: a newer one may have come meanwhile. */
  readonly resolve: (admitted: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/** A partition of a compacted topic, and the way to it, for as long as the partition is ours whose tokens are there. */
interface Place {
  readonly at: TopicPartition;
  readonly takeOver: () => Promise<Transactor>;
  readonly read: () => Promise<Map<string, bigint>>;
  readonly isOurs: IsOurs;
}

/** Somebody has taken the transactional id over, or the coordinator has ended a transaction by itself, which looks the same. */
interface Refusal {
  /** By `performance.now()`. */
  readonly at: number;
  readonly error: unknown;
}

/**
 * The newest fencing token of each key of one partition, kept in a partition of a compacted topic. Whoever has the partition writes there, and nobody else can: each takes the transactional
 * id over from its predecessor, whose late write would otherwise lower a token again. Whoever takes it over, also for another time, reads what is there before it writes: so what is kept
 * never goes down.
 */
export class PartitionFences {
  readonly #place: Place;
  readonly #tokens: Map<string, bigint>;
  #transactor: Transactor;
  /** Nobody knows what became of the last transaction. */
  #isUnsure = false;
  #refusal: Refusal | undefined;
  #raises: Raise[] = [];
  #raising = false;
  #closed = false;

  /** Takes over, and reads what is there. Without `isOurs`, whoever is refused does not take over again. */
  static async open(
    driver: Driver,
    at: TopicPartition,
    id: string,
    signal: AbortSignal,
    isOurs: IsOurs = () => false,
  ): Promise<PartitionFences> {
    const place: Place = {
      at,
      takeOver: () => driver.transactor(id, { timeout: transactionTimeout, signal }),
      read: () => tokensAt(driver, at, signal),
      isOurs: (since) => !signal.aborted && isOurs(since),
    };
    const transactor = await place.takeOver();
    try {
      return new PartitionFences(place, transactor, await place.read());
    } catch (error) {
      await transactor.close();
      throw error;
    }
  }

  private constructor(place: Place, transactor: Transactor, tokens: Map<string, bigint>) {
    this.#place = place;
    this.#transactor = transactor;
    this.#tokens = tokens;
  }

  /** Whether a message with this token may have an effect: false when a newer one has been seen. A newer one is in Kafka when it resolves. */
  async admits(key: Buffer | null, token: bigint): Promise<boolean> {
    const name = nameOf(key);
    const newest = this.#tokens.get(name);
    if (newest !== undefined && token < newest) return false;
    if (token === newest && !this.#isUnsure) return true;
    return await new Promise<boolean>((resolve, reject) => {
      this.#raises.push({ name, token, resolve, reject });
      void this.#raise();
    });
  }

  /** Nothing is raised any more: whoever took the id over once more would fence its successor. */
  close(): void {
    this.#closed = true;
    void this.#transactor.close();
  }

  /** All that are wanted meanwhile go in the next transaction together. */
  async #raise(): Promise<void> {
    if (this.#raising) return;
    this.#raising = true;
    while (this.#raises.length > 0) {
      const raises = this.#raises;
      this.#raises = [];
      try {
        if (this.#closed) throw new StreamClosedError('the work on the partition');
        if (this.#isUnsure) await this.#decide();
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
        this.#isUnsure = true;
        if (isQuorateError(error, 'fenced-producer')) this.#refusal ??= { at: performance.now(), error };
        for (const { reject } of raises) reject(error);
      }
    }
    this.#raising = false;
  }

  /** What was begun is decided, and what is there is known, before it goes on. */
  async #decide(): Promise<void> {
    const refusal = this.#refusal;
    if (refusal) await this.#takeBack(refusal);
    else await this.#transactor.renew();
    for (const [name, token] of await this.#place.read())
      if (token > (this.#tokens.get(name) ?? -1n)) this.#tokens.set(name, token);
    // All of it may have taken long: whose is it by now?
    if (refusal) this.#check(refusal);
    this.#refusal = undefined;
    this.#isUnsure = false;
  }

  async #takeBack(refusal: Refusal): Promise<void> {
    this.#check(refusal);
    await this.#transactor.close();
    this.#transactor = await this.#place.takeOver();
    if (this.#closed) await this.#transactor.close();
  }

  /** Whoever has lost the partition must not take the id from its successor. There is none if the group has counted us as a member since. */
  #check({ at, error }: Refusal): void {
    if (!this.#place.isOurs(at)) throw error;
  }

  async #write(newest: ReadonlyMap<string, bigint>): Promise<void> {
    const records = [...newest].map(([name, token]) => ({
      key: Buffer.from(name, 'latin1'),
      value: Buffer.from(token.toString()),
      headers: [],
      timestamp: Date.now(),
    }));
    await this.#transactor.begin();
    await this.#transactor.append([{ ...this.#place.at, records }]);
    await this.#transactor.commit();
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
