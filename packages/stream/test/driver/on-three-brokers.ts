import { expect } from 'vitest';
import type { threeBrokers } from '../suites/brokers.ts';
import { drivers } from './drivers.ts';
import { eachDriver } from './each-driver.ts';
import { batch, endless, offsetsOf, Stage, series, unique, within } from './stage.ts';

/** What drivers promise on a cluster. Whose brokers die, with all drivers at work: in the soak, and by the Stream of one driver beside this. */
export function driversOnThreeBrokers(test: typeof threeBrokers): void {
  eachDriver(drivers, 'on three brokers', (_name, open) => {
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
