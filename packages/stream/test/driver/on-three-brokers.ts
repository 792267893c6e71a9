import { eventually } from '@quorate/testbed';
import { expect } from 'vitest';
import type { threeBrokers } from '../suites/brokers.ts';
import { eachDriver } from './each-driver.ts';
import { batch, endless, offsetsOf, Stage, series, unique, within } from './stage.ts';
import { Works } from './works.ts';

/** What drivers promise on a cluster whose leaders move. */
export function driversOnThreeBrokers(test: typeof threeBrokers): void {
  test('all drivers keep what was acknowledged, once and in order, and read it, when a leader is killed, comes back and leads again', async ({
    bed,
  }) => {
    await using works = await Works.on(bed.kafka.brokers);
    const { first, witness } = works;
    const { leader } = await witness.partition(first.topic, 0);
    await bed.kafka.broker(leader).kill();
    await works.goOn('writes without it');
    await bed.kafka.broker(leader).restart();
    await eventually('it leads again', async () => (await witness.partition(first.topic, 0)).leader === leader);
    await works.goOn('writes to it');
    await works.endAndCheck();
  });

  eachDriver('on three brokers', (_name, open) => {
    test('makes a topic that can be written to at once', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers, { deliveryTimeout: 5_000 });
      const [driver, other] = [await stage.driver(), await stage.driver()];
      const appender = await other.appender({ signal: endless });
      for (const topic of [unique('t'), unique('t'), unique('t')]) {
        const shape = { partitions: 12, replication: 3, settings: {} };
        expect(await within(10_000, 'it is made', driver.admin.createTopic(topic, shape, endless))).toBe(true);
        const wanted = series('x', 12).map((value, partition) => batch(topic, partition, [value]));
        expect(offsetsOf(await appender.append(wanted))).toEqual(wanted.map(() => 0n));
      }
    });
  });
}
