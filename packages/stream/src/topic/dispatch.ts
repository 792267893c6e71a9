import { InvalidArgumentError } from '@quorate/core';
import type { Connection } from '../connection.ts';
import type { KafkaRecord } from '../driver/record.ts';
import { Gate } from '../publishing/gate.ts';
import { partitionOf } from '../publishing/partitioner.ts';
import type { Publisher } from '../publishing/publisher.ts';
import type { Published } from './message.ts';

/** A message that has been checked. */
export interface Encoded {
  readonly id: string;
  readonly record: KafkaRecord;
  /** As the caller wants it. */
  readonly partition: number | undefined;
}

/** Who sends, and which partitions there are. */
interface Ways {
  readonly publisher: Publisher;
  readonly leaders: readonly number[];
}

/** Sends what is published to a topic to its partitions, in the order of the calls. */
export class Dispatch {
  readonly #topic: string;
  readonly #gate: Gate<Ways>;
  #turn = 0;

  constructor(topic: string, connection: Connection) {
    this.#topic = topic;
    this.#gate = new Gate(
      () => {
        const { opened } = connection;
        const leaders = opened?.layout.known(topic);
        return opened && leaders ? { publisher: opened.publisher, leaders } : undefined;
      },
      () => connection.closeAfter(waysTo(topic, connection)),
    );
  }

  /** `told` is called once, with what went wrong or with where it stands. */
  send(
    { id, record, partition }: Encoded,
    signal: AbortSignal | undefined,
    told: (error: unknown, published: Published | undefined) => void,
  ): void {
    if (signal?.aborted) {
      told(signal.reason, undefined);
      return;
    }
    let given = false;
    // Until it is known where the message goes. From then on the publisher listens to the signal.
    const giveUp = (): void => {
      given = true;
      told(signal?.reason, undefined);
    };
    signal?.addEventListener('abort', giveUp, { once: true });
    const fail = (error: unknown): void => {
      signal?.removeEventListener('abort', giveUp);
      if (!given) told(error, undefined);
    };
    this.#gate.pass(({ publisher, leaders }) => {
      if (given) return;
      signal?.removeEventListener('abort', giveUp);
      let to: number;
      try {
        to = this.#choose(record, partition, leaders.length);
      } catch (error) {
        told(error, undefined);
        return;
      }
      publisher.post(this.#topic, to, record, signal, (error, offset) => {
        if (offset === undefined) told(error, undefined);
        else told(undefined, { id, topic: this.#topic, partition: to, offset });
      });
    }, fail);
  }

  /** Where it would go. */
  place({ record, partition }: Encoded): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#gate.pass(({ leaders }) => {
        try {
          resolve(this.#choose(record, partition, leaders.length));
        } catch (error) {
          reject(error);
        }
      }, reject);
    });
  }

  #choose({ key }: KafkaRecord, wanted: number | undefined, count: number): number {
    if (wanted !== undefined && wanted >= count)
      throw new InvalidArgumentError('partition', `0 to ${count - 1}: ${this.#topic} has ${count}`, wanted);
    if (wanted !== undefined) return wanted;
    if (key !== null) return partitionOf(key, count);
    this.#turn = (this.#turn + 1) % count;
    return this.#turn;
  }
}

async function waysTo(topic: string, connection: Connection): Promise<Ways> {
  const { publisher, layout } = await connection.open();
  return { publisher, leaders: await layout.of(topic) };
}
