import * as library from '@platformatic/kafka';
import { eventually } from '@quorate/testbed';
import { bedTest } from '@quorate/testbed/vitest';
import { expect } from 'vitest';
import { Delivery } from '../../src/driver/platformatic/delivery.ts';
import { identify } from '../../src/driver/platformatic/identity.ts';
import type { Identity, Parcel } from '../../src/driver/platformatic/parcel.ts';
import { counted } from './counted.ts';
import { batch, endless, Heard, offsetsOf, Stage, series } from './stage.ts';

const test = bedTest({ kafka: 1 });

const apiVersionsKey = 18;

const parcel = (topic: string, value: string, identity: Identity, sequence: number, doubt = false): Parcel => ({
  batch: batch(topic, 0, [value]),
  identity,
  sequence,
  doubt,
  outcome: undefined,
});

test('a batch that a broker takes up late stands once in the log, though it was sent again meanwhile', async ({
  bed,
}) => {
  await using stage = new Stage(bed.kafka.brokers, { requestTimeout: 700 });
  const topic = await stage.topic(2);
  const driver = await stage.driver();
  const appender = await driver.appender({ signal: endless });
  const connected = counted(apiVersionsKey);
  for (const value of series('m', 3)) {
    const broker = bed.kafka.broker(1);
    await broker.pause();
    const before = connected();
    const appending = appender.append([batch(topic, 0, [value]), batch(topic, 1, [value])]);
    // It has given its question up: the broker finds it in its buffers, with nobody who waits for the answer.
    await eventually('it connects anew', () => connected() > before);
    await broker.resume();
    offsetsOf(await appending);
  }
  for (const partition of [0, 1]) {
    const heard = new Heard();
    await driver.readPartitions({ topic, from: new Map([[partition, 0n]]), signal: endless }, heard.events);
    await eventually('all is read', () => heard.next >= 3n);
    expect(heard.values).toEqual(series('m', 3));
  }
});

test('a refusal in one partition takes nothing from others that are on their way at the same time', async ({ bed }) => {
  await using stage = new Stage(bed.kafka.brokers);
  const topic = await stage.topic(6);
  const narrow = await stage.topic(1, { 'max.message.bytes': '2000' });
  const driver = await stage.driver();
  const appender = await driver.appender({ signal: endless });
  const rounds = 40;
  const write = async (partition: number): Promise<void> => {
    for (const value of series(`p${partition}`, rounds)) {
      offsetsOf(await appender.append([batch(topic, partition, [value])]));
    }
  };
  const fail = async (): Promise<void> => {
    for (let round = 0; round < rounds; round += 1) {
      const [outcome] = await appender.append([batch(narrow, 0, [Buffer.alloc(10_000)])]);
      expect(outcome?.error).toMatchObject({ code: 'message-too-large', happened: 'no' });
    }
  };
  await Promise.all([...[0, 1, 2, 3, 4, 5].map(write), fail()]);
  for (const partition of [0, 1, 2, 3, 4, 5]) {
    const heard = new Heard();
    await driver.readPartitions({ topic, from: new Map([[partition, 0n]]), signal: endless }, heard.events);
    await eventually('all is read', () => heard.next >= BigInt(rounds));
    expect(heard.values).toEqual(series(`p${partition}`, rounds));
  }
});

test('a sequence out of order goes on under another identity, and never where an earlier attempt is in doubt', async ({
  bed,
}) => {
  await using stage = new Stage(bed.kafka.brokers);
  const topic = await stage.topic();
  const cluster = stage.cluster();
  const identity = await identify(cluster, endless);
  const renew = (signal: AbortSignal): Promise<Identity> => identify(cluster, signal);
  const deliver = async (one: Parcel): Promise<Parcel> => {
    await new Delivery({ cluster, library, renew }, endless).deliver([one]);
    return one;
  };
  expect((await deliver(parcel(topic, 'first', identity, 0))).outcome).toEqual({ offset: 0n });
  const doubted = await deliver(parcel(topic, 'in doubt', identity, 5, true));
  expect(doubted.outcome?.error).toMatchObject({ code: 'ambiguous', happened: 'unknown' });
  const renewed = await deliver(parcel(topic, 'second', identity, 5));
  expect(renewed.outcome).toEqual({ offset: 1n });
  expect(renewed.identity.id).not.toBe(identity.id);
  const heard = new Heard();
  const driver = await stage.driver();
  await driver.readPartitions({ topic, from: new Map([[0, 0n]]), signal: endless }, heard.events);
  await eventually('all is read', () => heard.next === 2n);
  expect(heard.values).toEqual(['first', 'second']);
});
