import type { QuorateError } from '@quorate/core';
import { eventually } from '@quorate/testbed';
import { afterEach, expect, test } from 'vitest';
import type { ReadRecord, TopicPartition } from '../record.ts';
import type { Cluster } from './cluster.ts';
import type { Connections } from './connections.ts';
import { Fetching } from './fetching.ts';
import { crc32c } from './protocol/crc32c.ts';
import type { FetchAnswer, FetchAsk, FetchedPartition } from './protocol/fetch.ts';
import { encodeBatch } from './protocol/record-batch.ts';

const topicId = '00000000-0000-0000-0000-000000000001';
const place = { topic: 't', partition: 0 };

/** A batch at this offset, of one record. */
function stored(offset: bigint, value: string, codec = 0): Buffer {
  const record = { key: null, value: Buffer.from(value), headers: [], timestamp: 1 };
  const producer = { producerId: -1n, producerEpoch: -1, baseSequence: -1, transactional: false };
  const bytes = encodeBatch({ ...producer, records: [record] });
  bytes.writeBigInt64BE(offset, 0);
  bytes.writeInt16BE(codec, 21);
  bytes.writeUInt32BE(crc32c(bytes.subarray(21)), 17);
  return bytes;
}

/** A cluster with one broker, which has these batches from each offset on. */
function reading(batches: Map<bigint, Partial<FetchedPartition>>, from = 0n): Reading {
  const cluster = {
    look: async () => new Map(),
    plan: () => ({ id: topicId, leaders: [1], replication: 1 }),
    address: () => ({ host: 'a', port: 1 }),
    check: () => {},
  };
  const ask = async (_address: unknown, _request: unknown, { topics }: FetchAsk): Promise<FetchAnswer> => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    const from = topics[0]?.partitions[0]?.fetchOffset ?? -1n;
    const nothing = { partitionIndex: 0, errorCode: 0, highWatermark: 0n, lastStableOffset: 0n };
    const part = { ...nothing, abortedTransactions: [], records: null, ...batches.get(from) };
    return { errorCode: 0, responses: [{ topicId, partitions: [part] }] };
  };
  return new Reading(cluster as unknown as Cluster, { ask } as unknown as Connections, from);
}

class Reading {
  readonly values: string[] = [];
  readonly places: { readonly next: bigint; readonly end: bigint }[] = [];
  readonly troubles: (QuorateError | undefined)[] = [];
  readonly fetching: Fetching;
  /** Called whenever something has come. */
  heard = (): void => {};

  constructor(cluster: Cluster, connections: Connections, from: bigint) {
    this.fetching = new Fetching(cluster, connections, this);
    this.fetching.add(place, from);
    opened.push(this.fetching);
  }

  records(_: TopicPartition, records: readonly ReadRecord[], where: { readonly next: bigint; readonly end: bigint }) {
    this.heard();
    this.values.push(...records.map(({ value }) => String(value)));
    this.places.push(where);
  }

  astray(): void {}

  trouble(error: QuorateError | undefined): void {
    this.troubles.push(error);
  }
}

const opened: Fetching[] = [];
afterEach(() => {
  for (const fetching of opened.splice(0)) fetching.stop();
});

test('a batch that cannot be read is trouble, what comes before it is read, and it goes on when it can be', async () => {
  const batches = new Map([
    [0n, { records: Buffer.concat([stored(0n, 'a'), stored(1n, 'b', 7)]), lastStableOffset: 2n }],
    [1n, { records: stored(1n, 'b', 7), lastStableOffset: 2n }],
  ]);
  const { values, troubles } = reading(batches);
  await eventually('it says so', () => troubles.length > 0);
  expect(values).toEqual(['a']);
  expect(troubles[0]).toMatchObject({ code: 'refused', message: expect.stringMatching(/offset 1 .*compressed/) });
  batches.set(1n, { records: stored(1n, 'b'), lastStableOffset: 2n });
  await eventually('it is well', () => troubles.at(-1) === undefined);
  expect(values).toEqual(['a', 'b']);
});

test('where it ends is never before what comes next, also where the broker has looked at the end first', async () => {
  const records = Buffer.concat([stored(0n, 'a'), stored(1n, 'b')]);
  const { places } = reading(new Map([[0n, { records, lastStableOffset: 1n }]]));
  await eventually('it is read', () => places.length > 0);
  expect(places[0]).toEqual({ next: 2n, end: 2n });
});

test('whoever has enough gets no more of an answer, and all that is left when it goes on', async () => {
  const much = 'x'.repeat(1_100_000);
  const [first, second, third] = [stored(0n, much), stored(1n, `${much}y`), stored(2n, 'z')];
  const both = { records: Buffer.concat([second, third]), lastStableOffset: 3n };
  const one = reading(
    new Map([
      [0n, { ...both, records: Buffer.concat([first, both.records]) }],
      [1n, both],
    ]),
  );
  one.heard = () => one.fetching.pause(place);
  await eventually('the first is read', () => one.values.length > 0);
  expect(one.places).toEqual([{ next: 1n, end: 3n }]);
  one.heard = () => {};
  one.fetching.resume(place);
  await eventually('all are read', () => one.values.length === 3);
  expect(one.places).toEqual([1n, 2n, 3n].map((next) => ({ next, end: 3n })));
  const other = reading(new Map([[1n, both]]), 1n);
  other.heard = () => other.fetching.stop();
  await eventually('the second is read', () => other.values.length > 0);
  expect(other.places).toEqual([{ next: 2n, end: 3n }]);
});
