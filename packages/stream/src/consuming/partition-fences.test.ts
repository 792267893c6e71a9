import { expect, test } from 'vitest';
import type { Driver } from '../driver/driver.ts';
import type { PartitionReaderEvents } from '../driver/partition-reader.ts';
import { PartitionFences } from './partition-fences.ts';

const place = { topic: 't.g.fences', partition: 0 };
const key = Buffer.from('a');
const { signal } = new AbortController();

test('whoever is closed does not take the id over once more: it would fence its successor', async () => {
  let takenOver = 0;
  const transactor = async (): Promise<unknown> => {
    takenOver += 1;
    let closed = false;
    const unlessClosed = async (): Promise<void> => {
      if (closed) throw new Error('closed');
    };
    const close = async (): Promise<void> => {
      closed = true;
    };
    return { begin: unlessClosed, append: unlessClosed, commit: unlessClosed, close };
  };
  const admin = { offsets: async () => new Map([[0, 0n]]) };
  const fences = await PartitionFences.open({ transactor, admin } as unknown as Driver, place, 'id', signal);
  expect(await fences.admits(key, 5n)).toBe(true);
  fences.close();
  // As often as a message is tried.
  for (let time = 0; time < 3; time += 1)
    await expect(fences.admits(key, 6n)).rejects.toMatchObject({ code: 'stream-closed' });
  expect(takenOver).toBe(1);
});

test('what is no token, in the topic for tokens, is left out', async () => {
  const texts = ['5', 'not a number', '', '-1', '1e3', '0x10', ' 6'];
  const records = texts.map((text, index) => ({
    key: Buffer.from(`key ${index}`),
    value: Buffer.from(text),
    headers: [],
    timestamp: 1,
    offset: BigInt(index),
  }));
  const end = BigInt(records.length);
  const done = async (): Promise<void> => {};
  const readPartitions = async (_: unknown, events: PartitionReaderEvents): Promise<unknown> => {
    events.records(place, records, { next: end, end });
    return { pause: () => {}, stop: done };
  };
  const driver = {
    transactor: async () => ({ begin: done, append: done, commit: done, close: done }),
    admin: { offsets: async (_: string, at: string) => new Map([[0, at === 'latest' ? end : 0n]]) },
    readPartitions,
  };
  const fences = await PartitionFences.open(driver as unknown as Driver, place, 'id', signal);
  const admitted = texts.map((_, index) => fences.admits(Buffer.from(`${index}`), 4n));
  expect(await Promise.all(admitted)).toEqual([false, true, true, true, true, true, true]);
});
