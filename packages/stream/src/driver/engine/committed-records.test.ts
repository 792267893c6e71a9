import { expect, test } from 'vitest';
import { type Committed, committedRecords } from './committed-records.ts';

type Batch = Parameters<typeof committedRecords>[0] extends Iterable<infer One> ? One : never;

interface Given {
  readonly producerId?: bigint;
  readonly lastOffset?: bigint;
  readonly marker?: 'abort' | 'commit';
}

function batch(first: bigint, values: readonly string[], given: Given = {}): Batch {
  const { producerId, lastOffset = first + BigInt(values.length - 1), marker } = given;
  const records = values.map((value, index) => ({
    offset: first + BigInt(index),
    key: null,
    value: Buffer.from(value),
    headers: [],
    timestamp: 1_000,
  }));
  return {
    lastOffset,
    producerId: producerId ?? -1n,
    marker,
    control: marker !== undefined,
    transactional: producerId !== undefined,
    records: (from) => records.filter(({ offset }) => offset >= from),
  };
}

const of = (producerId: bigint): Given => ({ producerId });

const marker = (offset: bigint, producerId: bigint, type: 'abort' | 'commit'): Batch =>
  batch(offset, [''], { producerId, marker: type });

/** All that there is, as if it were one portion. */
function all(...given: Parameters<typeof committedRecords>): Committed {
  const portions = [...committedRecords(...given)];
  const records = portions.flatMap((portion) => portion.records);
  return { ...(portions.at(-1) as Committed), records };
}

const valuesOf = (...given: Parameters<typeof committedRecords>): string[] =>
  all(...given).records.map(({ value }) => String(value));

test('what one producer has aborted several times is left out each time, and what it has committed between is not', () => {
  const batches = [
    batch(0n, ['a', 'b'], of(7n)),
    marker(2n, 7n, 'abort'),
    batch(3n, ['c'], of(7n)),
    marker(4n, 7n, 'commit'),
    batch(5n, ['d'], of(7n)),
    marker(6n, 7n, 'abort'),
    batch(7n, ['e']),
  ];
  const aborted = [
    { producerId: 7n, firstOffset: 5n },
    { producerId: 7n, firstOffset: 0n },
  ];
  expect(valuesOf(batches, aborted, 0n)).toEqual(['c', 'e']);
  expect(all(batches, aborted, 0n).next).toBe(8n);
});

test('what was aborted is left out where its marker is of another answer', () => {
  const batches = [batch(10n, ['a'], of(7n)), batch(11n, ['b'], of(8n)), batch(12n, ['c'])];
  expect(valuesOf(batches, [{ producerId: 7n, firstOffset: 2n }], 10n)).toEqual(['b', 'c']);
});

test('a transaction that is aborted later than another begins takes nothing of that one', () => {
  const batches = [
    batch(0n, ['a'], of(7n)),
    batch(1n, ['b'], of(8n)),
    marker(2n, 8n, 'commit'),
    batch(3n, ['c'], of(8n)),
    marker(4n, 7n, 'abort'),
    marker(5n, 8n, 'abort'),
  ];
  const aborted = [
    { producerId: 7n, firstOffset: 0n },
    { producerId: 8n, firstOffset: 3n },
  ];
  expect(valuesOf(batches, aborted, 0n)).toEqual(['b']);
});

test('of a batch that begins before the offset that was asked for, nothing comes twice', () => {
  const batches = [batch(0n, ['a', 'b', 'c']), batch(3n, ['d'])];
  expect(valuesOf(batches, [], 2n)).toEqual(['c', 'd']);
  expect(all(batches, [], 2n).records[0]).toMatchObject({ offset: 2n });
});

test('where all of it is markers, or compacted away, it goes on after them', () => {
  expect(all([marker(4n, 7n, 'commit')], [], 4n)).toMatchObject({ records: [], next: 5n });
  expect(all([batch(5n, [], { lastOffset: 14n })], [], 7n)).toMatchObject({ records: [], next: 15n });
  expect(all([], [], 4n)).toEqual({ records: [], next: 4n, unread: undefined });
});

test('what comes before a batch that cannot be read is read, and of an aborted one nobody asks', () => {
  const unread = new Error('unreadable');
  const unreadable = (one: Batch): Batch => ({
    ...one,
    records: () => {
      throw unread;
    },
  });
  const batches = [batch(0n, ['a']), unreadable(batch(1n, ['b'], of(7n))), batch(2n, ['c'])];
  expect(valuesOf(batches, [], 0n)).toEqual(['a']);
  expect(all(batches, [], 0n)).toMatchObject({ next: 1n, unread });
  expect(valuesOf(batches, [{ producerId: 7n, firstOffset: 1n }], 0n)).toEqual(['a', 'c']);
});

test('what is much when it is unpacked comes in portions, and nothing is unpacked before it is asked for', () => {
  const half = 'x'.repeat(600_000);
  let unpacked = 0;
  const counted = (one: Batch): Batch => ({
    ...one,
    records: (from) => {
      unpacked += 1;
      return one.records(from);
    },
  });
  // What was aborted in one portion is over in the next.
  const batches = [
    batch(0n, [half, half]),
    batch(2n, ['aborted'], of(7n)),
    marker(3n, 7n, 'abort'),
    batch(4n, [half]),
    batch(5n, [half, half]),
    batch(7n, ['committed'], of(7n)),
  ];
  const portions = committedRecords(batches.map(counted), [{ producerId: 7n, firstOffset: 2n }], 0n);
  const places: (readonly [offsets: bigint[], next: bigint, unpacked: number])[] = [];
  for (const { records, next } of portions) places.push([records.map(({ offset }) => offset), next, unpacked]);
  expect(places).toEqual([
    [[0n, 1n], 2n, 1],
    [[4n, 5n, 6n], 7n, 3],
    [[7n], 8n, 4],
  ]);
});
