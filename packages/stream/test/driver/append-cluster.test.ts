import { eventually } from '@quorate/testbed';
import { bedTest } from '@quorate/testbed/vitest';
import { expect } from 'vitest';
import { drivers } from './drivers.ts';
import { eachDriver } from './each-driver.ts';
import { batch, endless, offsetsOf, Stage, series, unique, within } from './stage.ts';
import { Witness } from './witness.ts';
import { Work } from './work.ts';

// Partitions go back to where they belong at once: brokers lose their leadership also while they are well.
const config = { 'leader.imbalance.check.interval.seconds': 1, 'leader.imbalance.per.broker.percentage': 0 };
const test = bedTest({ kafka: { brokers: 3, config } });

test('all drivers keep what was acknowledged, once and in order, and read it, when a leader is killed, comes back and leads again', async ({
  bed,
}) => {
  await using stages = new AsyncDisposableStack();
  const witness = stages.use(new Witness(bed.kafka.brokers));
  const works: Work[] = [];
  for (const [name, open] of drivers)
    works.push(await Work.by(name, stages.use(new Stage(open, bed.kafka.brokers, { deliveryTimeout: 30_000 }))));
  const goOn = async (what: string): Promise<void> => void (await Promise.all(works.map((work) => work.goesOn(what))));
  await goOn('writes');
  const [first] = works as [Work];
  const { leader } = await witness.partition(first.topic, 0);
  await bed.kafka.broker(leader).kill();
  await goOn('writes without it');
  await bed.kafka.broker(leader).restart();
  await eventually('it leads again', async () => (await witness.partition(first.topic, 0)).leader === leader);
  await goOn('writes to it');
  for (const work of works) await work.end();
  for (const work of works) await work.check(witness);
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
