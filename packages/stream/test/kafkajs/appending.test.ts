import { eventually } from '@quorate/testbed';
import { bedTest } from '@quorate/testbed/vitest';
import { expect } from 'vitest';
import { batch, driverFor, endless, offsetsOf, read, topicWith } from './place.ts';

const test = bedTest({ kafka: 1 });

test('after an outcome that nobody knows the partition is used no more, while the others are', async ({ bed }) => {
  await using driver = await driverFor(bed.kafka.brokers, { requestTimeout: 400, deliveryTimeout: 1_000 });
  const topic = await topicWith(driver, 2);
  const appender = await driver.appender({ signal: endless });
  offsetsOf(await appender.append([batch(topic, ['before'])]));
  await bed.kafka.broker(1).pause();
  const [doubtful] = await appender.append([batch(topic, ['in doubt'])]);
  expect(doubtful?.error).toMatchObject({ code: 'ambiguous', happened: 'unknown' });
  await bed.kafka.broker(1).resume();
  const [refused] = await appender.append([batch(topic, ['next'])]);
  expect(refused?.error).toMatchObject({ code: 'stream-closed', happened: 'no' });
  await eventually('the other partition is well', async () =>
    (await appender.append([batch(topic, ['x'], 1)])).every(({ error }) => !error),
  );
  const another = await driver.appender({ signal: endless });
  offsetsOf(await another.append([batch(topic, ['next'])]));
  const reading = await read(driver, { topic, partition: 0 });
  await eventually('it is read', () => reading.values().at(-1) === 'next');
  expect(reading.values().filter((value) => value !== 'in doubt')).toEqual(['before', 'next']);
});

test('a transactor that has written something that nobody knows of aborts it, and begins no other transaction', async ({
  bed,
}) => {
  await using driver = await driverFor(bed.kafka.brokers, { requestTimeout: 400, deliveryTimeout: 1_000 });
  const topic = await topicWith(driver);
  const options = { timeout: 60_000, signal: endless };
  const transactor = await driver.transactor(`id-${topic}`, options);
  await transactor.begin();
  await transactor.append([batch(topic, ['before'])]);
  await bed.kafka.broker(1).pause();
  await expect(transactor.append([batch(topic, ['in doubt'])])).rejects.toMatchObject({ code: 'ambiguous' });
  await expect(transactor.commit()).rejects.toMatchObject({ code: 'stream-closed', happened: 'no' });
  await bed.kafka.broker(1).resume();
  await eventually('it is aborted', () => transactor.abort().then(() => true));
  await expect(transactor.begin()).rejects.toMatchObject({ code: 'stream-closed', happened: 'no' });
  const next = await driver.transactor(transactor.id, options);
  await next.begin();
  await next.append([batch(topic, ['next'])]);
  await next.commit();
  const reading = await read(driver, { topic, partition: 0 });
  await eventually('it is read', () => reading.values().length > 0);
  expect(reading.values()).toEqual(['next']);
});
