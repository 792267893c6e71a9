import { randomBytes } from 'node:crypto';
import { AmbiguousError } from '@quorate/core';
import { sharedTest as test } from '@quorate/testbed/vitest';
import { describe, expect } from 'vitest';
import { Fences, fenceTopicOf } from '../src/consuming/fences.ts';
import { PartitionFences } from '../src/consuming/partition-fences.ts';
import type { Driver } from '../src/driver/driver.ts';
import { drivers as open } from '../src/driver/drivers.ts';
import type { ConnectionSettings } from '../src/driver/settings.ts';
import type { Transactor } from '../src/driver/transactor.ts';
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
    await fences.open(partition, earlier.signal, () => true);
    expect(await fences.admits(partition, key, 5n)).toBe(true);
    await fences.open(partition, later.signal, () => true);
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

  test('who was refused takes the id back only when the group counts it as a member since, and lowers nothing', async ({
    servers: { QUORATE_KAFKA },
  }) => {
    await using place = await bench(QUORATE_KAFKA, { driver, partitions: 1 });
    const kafka = await open[driver](settings(QUORATE_KAFKA));
    const { signal } = new AbortController();
    const answers: boolean[] = [];
    const asked: number[] = [];
    const own = (): Promise<PartitionFences> =>
      PartitionFences.open(kafka, { topic: place.topic, partition: 0 }, `${place.topic}.0`, signal, (since) => {
        asked.push(since);
        return answers.shift() ?? false;
      });
    const key = Buffer.from('a');
    const late = await own();
    expect(await late.admits(key, 5n)).toBe(true);
    const next = await own();
    expect(await next.admits(key, 9n)).toBe(true);
    const before = performance.now();
    for (let time = 0; time < 4; time += 1)
      await expect(late.admits(key, 6n)).rejects.toMatchObject({ code: 'fenced-producer' });
    expect(asked).toHaveLength(3);
    expect(Math.min(...asked)).toBeGreaterThan(before);
    expect(await next.admits(key, 10n)).toBe(true);
    // It is one when it takes the id back, and is none any more when it has it.
    answers.push(true, false);
    await expect(late.admits(key, 6n)).rejects.toMatchObject({ code: 'fenced-producer' });
    answers.push(true, true);
    expect([await late.admits(key, 6n), await late.admits(key, 11n)]).toEqual([false, true]);
    await expect(next.admits(key, 12n)).rejects.toMatchObject({ code: 'fenced-producer' });
    answers.push(true, true);
    expect([await next.admits(key, 10n), await next.admits(key, 11n)]).toEqual([false, true]);
    await kafka.close();
  });

  test('what may have been kept is known before anything else is, and the id is taken from nobody for that', async ({
    servers: { QUORATE_KAFKA },
  }) => {
    await using place = await bench(QUORATE_KAFKA, { driver, partitions: 1 });
    const kafka = await open[driver](settings(QUORATE_KAFKA));
    const { signal } = new AbortController();
    let [takenOver, lost] = [0, 1];
    const forgetful = {
      admin: kafka.admin,
      readPartitions: kafka.readPartitions.bind(kafka),
      transactor: async (id: string, options: Parameters<Driver['transactor']>[1]): Promise<Transactor> => {
        takenOver += 1;
        const transactor = await kafka.transactor(id, options);
        const { commit } = transactor;
        transactor.commit = async () => {
          await commit.call(transactor);
          lost -= 1;
          if (lost === 0) throw new AmbiguousError('nobody knows');
        };
        return transactor;
      },
    };
    const at = { topic: place.topic, partition: 0 };
    const fences = await PartitionFences.open(forgetful as unknown as Driver, at, `${place.topic}.0`, signal);
    await expect(fences.admits(null, 9n)).rejects.toMatchObject({ code: 'ambiguous' });
    expect([await fences.admits(null, 5n), await fences.admits(null, 9n)]).toEqual([false, true]);
    expect([await fences.admits(null, 10n), takenOver]).toEqual([true, 1]);
    await kafka.close();
  });
});
