import { randomBytes } from 'node:crypto';
import { eventually } from '@quorate/testbed';
import {
  type DriverName,
  type Message,
  type NewMessage,
  Stream,
  type StreamOptions,
  type Topic,
} from '../src/index.ts';

/** Both client libraries. What they promise is the same. */
export const drivers: readonly DriverName[] = ['platformatic', 'kafkajs'];

/** A topic of its own, with streams to it; all is closed at the end of the block. */
export interface Bench extends AsyncDisposable {
  readonly topic: string;
  /** One more process, as far as Kafka is concerned. */
  stream(options?: Partial<StreamOptions>): Stream;
  /** The topic by a stream of its own, or by the one that is given. Values are whatever JSON can say. */
  open(stream?: Stream): Topic;
  /** Where each partition of a topic ends. */
  recordsOf(topic: string): Promise<bigint[]>;
}

export async function bench(
  brokers: string | undefined,
  {
    driver = 'platformatic',
    partitions = 4,
    replication,
  }: { driver?: DriverName; partitions?: number; replication?: number } = {},
): Promise<Bench> {
  if (!brokers) throw new Error('there is no Kafka in the shared bed');
  const topic = `test-${randomBytes(6).toString('hex')}`;
  const stack = new AsyncDisposableStack();
  const stream = (options: Partial<StreamOptions> = {}): Stream =>
    stack.use(new Stream({ brokers, driver, ...options }));
  const made: Bench = {
    topic,
    stream,
    open: (by = stream()) => by.topic(topic),
    recordsOf: async (name) => {
      const [report] = await stream().inspection().topics({ topic: name });
      return report?.partitions.map(({ end = 0n }) => end) ?? [];
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
  // Kept for ever: a test may write messages of long ago, and Kafka looks every five minutes for what is too old.
  const settings = { 'retention.ms': '-1' };
  const shape = { partitions, settings, ...(replication !== undefined && { replication }) };
  await stream().topic(topic, shape).create();
  return made;
}

/** So many messages over so many keys, numbered; each key's in order. */
export function numbered(count: number, keys = 10): NewMessage[] {
  return Array.from({ length: count }, (_, number) => ({
    key: `key-${number % keys}`,
    value: number,
    id: `id-${number}`,
  }));
}

/** What handlers have seen. */
export class Ledger {
  readonly entries: {
    readonly key: string | null;
    readonly value: number;
    readonly offset: bigint;
    readonly by: string;
  }[] = [];
  readonly values = new Set<number>();
  readonly #last = new Map<string, number>();
  /** Where a key's messages came in another order, apart from ones that came again. */
  readonly disorder: string[] = [];

  /** As a handler. */
  readonly note = (message: Message, by?: unknown): void => {
    const { key, value, offset } = message as Message<string | null, number>;
    const last = this.#last.get(String(key)) ?? -1;
    // A repetition begins at something that was seen before; what is new must be the next one.
    if (value > last) {
      if (last >= 0 && this.#step !== undefined && value !== last + this.#step)
        this.disorder.push(`${key}: ${value} after ${last}`);
      this.#last.set(String(key), value);
    }
    this.values.add(value);
    this.entries.push({ key, value, offset, by: typeof by === 'string' ? by : '' });
  };
  readonly #step: number | undefined;

  /** Values of one key are so far apart. */
  constructor(step?: number) {
    this.#step = step;
  }

  #missing(count: number): number | undefined {
    return Array.from({ length: count }, (_, value) => value).find((value) => !this.values.has(value));
  }

  async all(count: number, within = 30_000): Promise<void> {
    await eventually(
      `${count} messages are handled`,
      () => {
        const left = count - this.values.size;
        if (left > 0) throw new Error(`${left} are missing, one of them is ${this.#missing(count)}`);
        return true;
      },
      { within },
    );
  }
}

/** All records of a topic, by their headers, as a consumer without a schema sees them. */
export async function deadLetters(topic: Topic, count: number): Promise<Message<string | null, unknown>[]> {
  const letters: Message<string | null, unknown>[] = [];
  await using consumer = await topic.consume({
    group: `reader-${randomBytes(4).toString('hex')}`,
    deadLetter: false,
    handler: (message) => void letters.push(message),
  });
  await eventually(`${count} dead letters`, () => letters.length >= count);
  await consumer.stop();
  return letters;
}
