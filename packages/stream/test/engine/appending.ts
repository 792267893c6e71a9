import { eventually } from '@quorate/testbed';
import { expect } from 'vitest';
import { Cluster } from '../../src/driver/engine/cluster.ts';
import { Connections } from '../../src/driver/engine/connections.ts';
import { Delivery } from '../../src/driver/engine/delivery.ts';
import { identify } from '../../src/driver/engine/identity.ts';
import type { Identity, Parcel } from '../../src/driver/engine/parcel.ts';
import { apiVersions } from '../../src/driver/engine/protocol/api-versions.ts';
import { contractTest as test } from '../driver/contract.ts';
import { type Drivers, drivers } from '../driver/drivers.ts';
import { eachDriver } from '../driver/each-driver.ts';
import {
  batch,
  defaultSettings,
  endless,
  errorOf,
  failure,
  offsetsOf,
  Stage,
  series,
  unique,
} from '../driver/stage.ts';
import { Counted, wiresOf } from './counted.ts';

const impatient = { requestTimeout: 400, deliveryTimeout: 1_000 };

const parcel = (topic: string, value: string, identity: Identity, sequence: number, doubt = false): Parcel => ({
  batch: batch(topic, 0, [value]),
  identity,
  sequence,
  doubt,
  outcome: undefined,
});

/** Part of the contract of the drivers. */
export function keepsSequences(): void {
  eachDriver(drivers, 'appends', (name, open) => {
    test('to some partitions while another refuses, and nothing is taken from those', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic({ partitions: 6 });
      const narrow = await stage.topic({ settings: { 'max.message.bytes': '2000' } });
      const appender = await stage.appender();
      const rounds = 40;
      const write = async (partition: number): Promise<void> => {
        for (const value of series(`p${partition}`, rounds))
          offsetsOf(await appender.append([batch(topic, partition, [value])]));
      };
      const fail = async (): Promise<void> => {
        for (let round = 0; round < rounds; round += 1) {
          const failed = errorOf(await appender.append([batch(narrow, 0, [Buffer.alloc(10_000)])]));
          expect(failed).toMatchObject({ code: 'message-too-large', happened: 'no' });
        }
      };
      await Promise.all([...[0, 1, 2, 3, 4, 5].map(write), fail()]);
      for (const partition of [0, 1, 2, 3, 4, 5])
        expect(await stage.witness.values(topic, partition)).toEqual(series(`p${partition}`, rounds));
    });

    test('a sequence out of order under another identity, and never where an earlier attempt is in doubt', async ({
      bed,
    }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic();
      const settings = { ...defaultSettings, brokers: bed.kafka.brokers };
      const connections = new Connections(wiresOf[name], settings);
      const cluster = new Cluster(connections, settings);
      const identity = await identify(cluster, endless);
      const renew = (signal: AbortSignal): Promise<Identity> => identify(cluster, signal);
      const deliver = async (one: Parcel): Promise<Parcel> => {
        await new Delivery({ cluster, renew }, endless).deliver([one]);
        return one;
      };
      expect((await deliver(parcel(topic, 'first', identity, 0))).outcome).toEqual({ offset: 0n });
      const doubted = await deliver(parcel(topic, 'in doubt', identity, 5, true));
      expect(doubted.outcome?.error).toMatchObject({ code: 'ambiguous', happened: 'unknown' });
      const renewed = await deliver(parcel(topic, 'second', identity, 5));
      expect(renewed.outcome).toEqual({ offset: 1n });
      expect(renewed.identity.id).not.toBe(identity.id);
      connections.close();
      expect(await stage.witness.values(topic)).toEqual(['first', 'second']);
    });
  });
}

/** Each by itself: for all others the broker stands still as well. */
export function outlivesPauses(which: Drivers): void {
  test.for(which)(
    'by %s appends once what a broker takes up late, though it was sent again meanwhile',
    async ([name], { bed }) => {
      const counted = new Counted(name);
      await using stage = new Stage(counted.open, bed.kafka.brokers, { requestTimeout: 700 });
      const topic = await stage.topic({ partitions: 2 });
      const appender = await stage.appender();
      for (const value of series('m', 3)) {
        const broker = bed.kafka.broker(1);
        await broker.pause();
        const before = counted.of(apiVersions);
        const appending = appender.append([batch(topic, 0, [value]), batch(topic, 1, [value])]);
        // It has given its question up: the broker finds it in its buffers, with nobody who waits for the answer.
        await eventually('it connects anew', () => counted.of(apiVersions) > before);
        await broker.resume();
        offsetsOf(await appending);
      }
      for (const partition of [0, 1]) expect(await stage.witness.values(topic, partition)).toEqual(series('m', 3));
    },
  );

  test.for(which)(
    'by %s appends nothing more to a partition of which nobody knows an outcome, while the others go on',
    async ([, open], { bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers, impatient);
      const topic = await stage.topic({ partitions: 2 });
      const driver = await stage.driver();
      const appender = await driver.appender({ signal: endless });
      offsetsOf(await appender.append([batch(topic, 0, ['before'])]));
      await bed.kafka.broker(1).pause();
      const doubtful = errorOf(await appender.append([batch(topic, 0, ['in doubt'])]));
      expect(doubtful).toMatchObject({ code: 'ambiguous', happened: 'unknown' });
      await bed.kafka.broker(1).resume();
      const refused = errorOf(await appender.append([batch(topic, 0, ['next'])]));
      expect(refused).toMatchObject({ code: 'stream-closed', happened: 'no' });
      await eventually('the other partition is well', async () =>
        (await appender.append([batch(topic, 1, ['x'])])).every(({ error }) => !error),
      );
      const another = await driver.appender({ signal: endless });
      offsetsOf(await another.append([batch(topic, 0, ['next'])]));
      const values = await stage.witness.values(topic);
      expect(values.filter((value) => value !== 'in doubt')).toEqual(['before', 'next']);
    },
  );

  test.for(which)(
    'by %s appends what nobody knows of in a transaction, which is aborted, and takes nothing from the next',
    async ([, open], { bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers, impatient);
      const topic = await stage.topic();
      const transactor = await stage.transactor(unique('id'));
      await transactor.begin();
      await transactor.append([batch(topic, 0, ['before'])]);
      await bed.kafka.broker(1).pause();
      const doubtful = await failure(() => transactor.append([batch(topic, 0, ['in doubt'])]));
      expect(doubtful).toMatchObject({ code: 'ambiguous' });
      await bed.kafka.broker(1).resume();
      await eventually('it is aborted', () => transactor.abort().then(() => true));
      await transactor.begin();
      await transactor.append([batch(topic, 0, ['next'])]);
      await transactor.commit();
      const follower = await stage.follower({ topic, from: new Map([[0, 0n]]) });
      await eventually('it is read', () => follower.values().length > 0);
      expect(follower.values()).toEqual(['next']);
    },
  );
}
