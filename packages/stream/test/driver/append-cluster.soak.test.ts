import { eventually } from '@quorate/testbed';
import { bedTest } from '@quorate/testbed/vitest';
import { drivers } from './drivers.ts';
import { Stage } from './stage.ts';
import { Witness } from './witness.ts';
import { Work } from './work.ts';

const config = { 'leader.imbalance.check.interval.seconds': 1, 'leader.imbalance.per.broker.percentage': 0 };
const test = bedTest({ kafka: { brokers: 3, config } });

test('all drivers go on while each broker is restarted, killed and cut off, and keep what was acknowledged', async ({
  bed,
}) => {
  await using stages = new AsyncDisposableStack();
  const witness = stages.use(new Witness(bed.kafka.brokers));
  const works: Work[] = [];
  for (const [name, open] of drivers)
    works.push(await Work.by(name, stages.use(new Stage(open, bed.kafka.brokers, { deliveryTimeout: 30_000 }))));
  const goOn = async (what: string): Promise<void> => void (await Promise.all(works.map((work) => work.goesOn(what))));
  await goOn('writes');
  for (const broker of bed.kafka.servers) {
    const others = bed.kafka.servers.filter((server) => server !== broker).map(({ name }) => name);
    await broker.restart();
    await goOn(`writes after a restart of ${broker.name}`);
    await broker.kill();
    await goOn(`writes without ${broker.name}`);
    await broker.restart();
    await goOn(`writes with ${broker.name}`);
    await bed.partition([broker.name], others);
    await goOn(`writes while ${broker.name} is cut off`);
    await bed.heal();
    await goOn(`writes when ${broker.name} is back`);
    await eventually('all are well', async () => (await bed.health()).status === 'pass');
  }
  for (const work of works) await work.end();
  for (const work of works) await work.check(witness);
});
