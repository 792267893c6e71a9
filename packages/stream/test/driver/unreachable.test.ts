import { inspect } from 'node:util';
import { sleep } from '@quorate/core';
import { describe, expect, test } from 'vitest';
import type { Driver } from '../../src/driver/driver.ts';
import { drivers } from './drivers.ts';
import { batch, defaultSettings, endless, errorOf, failure, within } from './stage.ts';
import { hostile, silent, unreachable } from './unreachable.ts';

const impatient = { ...defaultSettings, connectTimeout: 400, requestTimeout: 400, deliveryTimeout: 1_200 };

const nothing = (): void => {};
const groupEvents = {
  assigned: nothing,
  revoked: async (): Promise<void> => {},
  lost: nothing,
  records: nothing,
  confirmed: nothing,
  trouble: nothing,
};

/** What waits for an answer of the cluster before it has begun. */
const beginnings: readonly (readonly [string, (driver: Driver, signal: AbortSignal) => Promise<unknown>])[] = [
  ['transactor', (driver, signal) => driver.transactor('id', { timeout: 60_000, signal })],
  [
    'group reader',
    (driver, signal) =>
      driver.readGroup(
        { group: 'g', topics: ['t'], from: 'earliest', sessionTimeout: 6_000, handOver: 1_000, signal },
        groupEvents,
      ),
  ],
  [
    'partition reader',
    (driver, signal) =>
      driver.readPartitions(
        { topic: 't', from: new Map([[0, 0n]]), signal },
        { records: nothing, missed: nothing, trouble: nothing },
      ),
  ],
  ['list of topics', ({ admin }, signal) => admin.topics(signal)],
  ['leader of a partition', ({ admin }, signal) => admin.leaders('t', signal)],
  ['description of a topic', ({ admin }, signal) => admin.describeTopic('t', [], signal)],
  ['new topic', ({ admin }, signal) => admin.createTopic('t', { partitions: 1, replication: 1, settings: {} }, signal)],
  ['end of a topic', ({ admin }, signal) => admin.deleteTopic('t', signal)],
  ['offset', ({ admin }, signal) => admin.offsets('t', 'latest', signal)],
  ['list of groups', ({ admin }, signal) => admin.groups(signal)],
  ['description of a group', ({ admin }, signal) => admin.describeGroup('g', signal)],
  ['committed offset', ({ admin }, signal) => admin.committed('g', ['t'], signal)],
  ['commit', ({ admin }, signal) => admin.commit('g', [{ topic: 't', partition: 0, offset: 1n }], signal)],
  ['end of a group', ({ admin }, signal) => admin.deleteGroup('g', signal)],
];

describe.concurrent.each(drivers)('the %s driver', (_name, open) => {
  test.for(unreachable)('says that nobody answers, and nothing was written, at an address %s', async ([, place]) => {
    await using there = await place();
    let driver: Driver | undefined;
    const failed = await within(
      6_000,
      'it fails',
      failure(async () => {
        driver = await open({ ...impatient, brokers: [there.address] });
        const appender = await driver.appender({ signal: endless });
        throw errorOf(await appender.append([batch('t', 0, ['x'])]));
      }),
    );
    await within(3_000, 'it closes', driver?.close() ?? Promise.resolve());
    expect(failed).toMatchObject({ code: 'kafka-unreachable', happened: 'no', retryable: true });
    expect(failed?.message).not.toMatch(/undefined|\[object/);
  });

  test.for(hostile)('does not wait for the end of %s', async ([, place]) => {
    await using there = await place();
    // No attempt ends because its time is up; for as long as one may take it is tried again.
    const patient = { ...impatient, connectTimeout: 2_000, requestTimeout: 2_000 };
    const driver = await open({ ...patient, brokers: [there.address] });
    const failed = await within(
      15_000,
      'it fails',
      failure(() => driver.appender({ signal: endless })),
    );
    await within(3_000, 'it closes', driver.close());
    expect(failed).toMatchObject({ code: 'kafka-unreachable', happened: 'no', retryable: true });
    expect(inspect(failed, { depth: 20 })).toMatch(/a frame of -?\d+ bytes is no answer/);
  });

  test.for(beginnings)('ends the wait for a %s with its signal, when nobody answers', async ([, begin]) => {
    await using place = await silent();
    const driver = await open({ ...defaultSettings, brokers: [place.address] });
    const controller = new AbortController();
    const reason = new Error('no longer wanted');
    const begun = failure(() => begin(driver, controller.signal));
    await sleep(50);
    controller.abort(reason);
    expect(await within(1_000, 'it ends', begun)).toBe(reason);
    expect(
      await within(
        500,
        'it ends at once',
        failure(() => begin(driver, controller.signal)),
      ),
    ).toBe(reason);
    await within(3_000, 'it closes', driver.close());
  });

  test('ends the wait for an appender with its signal, if there is one', async () => {
    await using place = await silent();
    const driver = await open({ ...defaultSettings, brokers: [place.address] });
    const controller = new AbortController();
    const reason = new Error('no longer wanted');
    const begun = failure(() => driver.appender({ signal: controller.signal }));
    await sleep(50);
    controller.abort(reason);
    expect([undefined, reason]).toContain(await within(1_000, 'it ends', begun));
    expect(await failure(() => driver.appender({ signal: controller.signal }))).toBe(reason);
    await within(3_000, 'it closes', driver.close());
  });

  test('closes, and ends whatever waits then, when nobody answers', async () => {
    await using place = await silent();
    const driver = await open({ ...defaultSettings, brokers: [place.address] });
    const begun = beginnings.map(([, begin]) => failure(() => begin(driver, endless)));
    await sleep(50);
    await within(3_000, 'it closes', driver.close());
    for (const [index, failed] of (await within(1_000, 'all end', Promise.all(begun))).entries())
      expect(failed, beginnings[index]?.[0]).toBeInstanceOf(Error);
  });

  test('says that it is closed to whoever comes later', async () => {
    await using place = await silent();
    const driver = await open({ ...defaultSettings, brokers: [place.address] });
    await driver.close();
    for (const [what, begin] of beginnings) {
      const failed = await within(
        1_000,
        'it ends',
        failure(() => begin(driver, endless)),
      );
      expect(failed, what).toMatchObject({ code: 'stream-closed', happened: 'no' });
    }
  });
});
