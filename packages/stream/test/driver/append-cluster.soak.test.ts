import { eventually } from '@quorate/testbed';
import { bedTest } from '@quorate/testbed/vitest';
import { restless, Works } from './works.ts';

const test = bedTest({ kafka: { brokers: 3, config: restless } });

test('all drivers go on while each broker is restarted, killed and cut off, and keep what was acknowledged', async ({
  bed,
}) => {
  await using works = await Works.on(bed.kafka.brokers);
  for (const broker of bed.kafka.servers) {
    const others = bed.kafka.servers.filter((server) => server !== broker).map(({ name }) => name);
    await broker.restart();
    await works.goOn(`writes after a restart of ${broker.name}`);
    await broker.kill();
    await works.goOn(`writes without ${broker.name}`);
    await broker.restart();
    await works.goOn(`writes with ${broker.name}`);
    await bed.partition([broker.name], others);
    await works.goOn(`writes while ${broker.name} is cut off`);
    await bed.heal();
    await works.goOn(`writes when ${broker.name} is back`);
    await eventually('all are well', async () => (await bed.health()).status === 'pass');
  }
  await works.endAndCheck();
});
