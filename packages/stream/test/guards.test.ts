import { randomBytes } from 'node:crypto';
import { sharedTest as test } from '@quorate/testbed/vitest';
import { describe, expect } from 'vitest';
import { Fences, fenceTopicOf } from '../src/consuming/fences.ts';
import { PartitionFences } from '../src/consuming/partition-fences.ts';
import { drivers as open } from '../src/driver/drivers.ts';
import type { ConnectionSettings } from '../src/driver/settings.ts';
import { bench, drivers } from './fixture.ts';

function settings(brokers: string | undefined): ConnectionSettings {
  return {
    brokers: [brokers ?? ''],
    clientId: 'guards',
    tls: undefined,
    sasl: undefined,
    connectTimeout: 5_000,
    requestTimeout: 10_000,
    deliveryTimeout: 30_000,
  };
}

describe.each(drivers)('by %s', (driver) => {
  test('the end of an earlier time of a partition leaves alone what a later one has opened', async ({
    servers: { QUORATE_KAFKA },
  }) => {
    await using place = await bench(QUORATE_KAFKA, { driver, partitions: 1 });
    const group = `g-${randomBytes(3).toString('hex')}`;
    await place
      .stream()
      .topic(fenceTopicOf(place.topic, group), { settings: { 'cleanup.policy': 'compact' } })
      .create();
    const kafka = await open[driver](settings(QUORATE_KAFKA));
    const fences = new Fences(kafka, group);
    const partition = { topic: place.topic, partition: 0 };
    const [earlier, later] = [new AbortController(), new AbortController()];
    const key = Buffer.from('a');
    await fences.open(partition, earlier.signal);
    expect(await fences.admits(partition, key, 5n)).toBe(true);
    await fences.open(partition, later.signal);
    fences.close(partition, earlier.signal);
    expect(await fences.admits(partition, key, 4n)).toBe(false);
    expect(await fences.admits(partition, key, 6n)).toBe(true);
    fences.close(partition, later.signal);
    await expect(fences.admits(partition, key, 7n)).rejects.toThrow();
    await kafka.close();
  });

  test('of tokens that come at the same time, as without a key, only those count that are not older than one before', async ({
    servers: { QUORATE_KAFKA },
  }) => {
    await using place = await bench(QUORATE_KAFKA, { driver, partitions: 1 });
    const kafka = await open[driver](settings(QUORATE_KAFKA));
    const { signal } = new AbortController();
    const id = `${place.topic}.0`;
    const fences = await PartitionFences.open(kafka, { topic: place.topic, partition: 0 }, id, signal);
    const tokens = [4n, 5n, 3n, 5n, 4n, 6n];
    const admitted = await Promise.all(tokens.map((token) => fences.admits(null, token)));
    expect(admitted).toEqual([true, true, false, true, false, true]);
    const [during, meanwhile] = [fences.admits(null, 8n), Promise.resolve().then(() => fences.admits(null, 7n))];
    expect([await during, await meanwhile]).toEqual([true, false]);
    const next = await PartitionFences.open(kafka, { topic: place.topic, partition: 0 }, id, signal);
    expect([await next.admits(null, 7n), await next.admits(null, 8n)]).toEqual([false, true]);
    await kafka.close();
  });

  test('whoever had the partition before can raise nothing any more, and takes nothing back', async ({
    servers: { QUORATE_KAFKA },
  }) => {
    await using place = await bench(QUORATE_KAFKA, { driver, partitions: 1 });
    const topic = `${place.topic}.kept`;
    await place
      .stream()
      .topic(topic, { settings: { 'cleanup.policy': 'compact' } })
      .create();
    const kafka = await open[driver](settings(QUORATE_KAFKA));
    const { signal } = new AbortController();
    const own = (): Promise<PartitionFences> =>
      PartitionFences.open(kafka, { topic, partition: 0 }, `${topic}.0`, signal);
    const key = Buffer.from('a');
    const before = await own();
    expect(await before.admits(key, 5n)).toBe(true);
    const after = await own();
    expect(await after.admits(key, 7n)).toBe(true);
    await expect(before.admits(key, 6n)).rejects.toMatchObject({ code: 'fenced-producer' });
    before.close();
    // Not by a new beginning either: it would fence its successor.
    await expect(before.admits(key, 6n)).rejects.toThrow();
    expect(await after.admits(key, 8n)).toBe(true);
    const third = await own();
    expect([await third.admits(key, 7n), await third.admits(key, 8n)]).toEqual([false, true]);
    await kafka.close();
  });
});
