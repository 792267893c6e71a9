import { eventually } from '@quorate/testbed';
import { sharedTest as test } from '@quorate/testbed/vitest';
import { describe, expect } from 'vitest';
import type { Message } from '../src/index.ts';
import { Witness } from './driver/witness.ts';
import { bench, drivers } from './fixture.ts';

// Side by side, because most of the time they wait.
describe.concurrent.each(drivers)('by %s', (driver) => {
  test('messages of a predecessor are left out, also after a restart and by another member', async ({
    servers: { QUORATE_KAFKA },
  }) => {
    await using place = await bench(QUORATE_KAFKA, { driver, partitions: 3 });
    const shifts = place.open();
    const seen: string[] = [];
    const handler = ({ key, value, fence }: Message): void => void seen.push(`${key} ${fence ?? 'none'} ${value}`);
    const first = await shifts.consume({ group: 'meter', fenced: true, handler });
    await shifts.publish({ key: 'a', value: 1, fence: 7n });
    await shifts.publish({ key: 'a', value: 2, fence: 6n });
    await shifts.publish({ key: 'a', value: 3, fence: 7n });
    await shifts.publish({ key: 'b', value: 4, fence: 2n });
    await shifts.publish({ key: 'a', value: 5 });
    await eventually('all but one are handled', () => seen.length === 4);
    expect(first.stats().fenced).toBe(1);
    expect(seen.filter((one) => one.startsWith('a'))).toEqual(['a 7 1', 'a 7 3', 'a none 5']);
    await first.stop();
    // All that was known is known to whoever comes next.
    const second = await place.open().consume({ group: 'meter', fenced: true, handler });
    await shifts.publish({ key: 'a', value: 6, fence: 6n });
    await shifts.publish({ key: 'b', value: 7, fence: 1n });
    await shifts.publish({ key: 'a', value: 8, fence: 8n });
    await eventually('the newest is handled', () => seen.includes('a 8 8'));
    await eventually('two more were left out', () => second.stats().fenced === 2);
    await using third = await place.open().consume({ group: 'meter', fenced: true, handler });
    await eventually('it has a part', () => third.lag().partitions.length > 0);
    const before = seen.length;
    for (const key of ['a', 'b']) await shifts.publish({ key, value: 9, fence: 1n });
    await eventually('both were left out', () => second.stats().fenced + third.stats().fenced === 4);
    expect(seen).toHaveLength(before);
    await second.stop();
  });

  test('where partitions were added, those have tokens as well', async ({ servers: { QUORATE_KAFKA = '' } }) => {
    await using place = await bench(QUORATE_KAFKA, { driver, partitions: 1 });
    const shifts = place.open();
    const seen: unknown[] = [];
    const handler = ({ value }: Message): void => void seen.push(value);
    const before = await shifts.consume({ group: 'meter', fenced: true, handler });
    await before.stop();
    await using witness = new Witness([QUORATE_KAFKA]);
    await witness.addPartitions(place.topic, 3);
    const added = place.open();
    await using consumer = await added.consume({ group: 'meter', fenced: true, handler });
    for (const fence of [2n, 1n, 3n]) await added.publish({ key: 'a', value: Number(fence), fence, partition: 2 });
    await eventually('all but one are handled', () => seen.length === 2);
    expect([seen, consumer.stats().fenced, consumer.health().status]).toEqual([[2, 3], 1, 'pass']);
  });

  test('many keys are kept together, not one transaction each', async ({ servers: { QUORATE_KAFKA } }) => {
    await using place = await bench(QUORATE_KAFKA, { driver, partitions: 1 });
    const shifts = place.open();
    let handled = 0;
    await using consumer = await shifts.consume({
      group: 'meter',
      fenced: true,
      concurrency: 500,
      handler: () => {
        handled += 1;
      },
    });
    await shifts.publishMany(Array.from({ length: 2_000 }, (_, key) => ({ key, value: key, fence: 1n })));
    await eventually('all are handled', () => handled === 2_000);
    await eventually('nothing is behind', () => consumer.lag().messages === 0n);
    const [end] = await place.recordsOf(`${place.topic}.meter.fences`);
    // Records, and a marker for each transaction.
    expect(Number(end)).toBeLessThan(2_100);
  });
});

test('a consumer whose tokens cannot be kept says so', async ({ servers: { QUORATE_KAFKA } }) => {
  await using place = await bench(QUORATE_KAFKA, { partitions: 1 });
  const shifts = place.open();
  // As made by somebody, and not as it should be.
  const settings = { 'cleanup.policy': 'compact', 'max.message.bytes': '10' };
  await place.stream().topic(`${place.topic}.meter.fences`, { settings }).create();
  await using consumer = await shifts.consume({ group: 'meter', fenced: true, handler: () => {} });
  await shifts.publish({ key: 'a', value: 1, fence: 1n });
  await eventually('it says so', () => consumer.health().status === 'warn');
  expect(consumer.health().detail).toContain('fencing tokens cannot be kept');
});
