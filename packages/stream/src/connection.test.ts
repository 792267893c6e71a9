import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Connection, type Tenant } from './connection.ts';
import type { Driver } from './driver/driver.ts';
import { drivers } from './driver/drivers.ts';
import type { RecordBatch } from './driver/record.ts';
import { checkStreamOptions } from './stream-options.ts';
import { Topic } from './topic/topic.ts';
import { checkTopicOptions } from './topic/topic-options.ts';

test('what was published before it is closed is sent, also when nobody knew yet where it goes', async () => {
  const sent: RecordBatch[] = [];
  const driver = {
    admin: { leaders: async () => [1, 1] },
    appender: async () => ({
      append: async (batches: readonly RecordBatch[]) => {
        sent.push(...batches);
        return batches.map(() => ({ offset: 0n }));
      },
      close: async () => {},
    }),
    close: async () => {},
  };
  const { platformatic } = drivers;
  (drivers as { platformatic: unknown }).platformatic = async () => driver as unknown as Driver;
  try {
    const connection = new Connection(checkStreamOptions({ brokers: 'nobody:1' }));
    const topic = new Topic(checkTopicOptions('t', {}), connection);
    const published = [1, 2, 3].map((value) => topic.publish({ key: 'a', value }));
    await connection.close();
    expect(await Promise.allSettled(published)).toMatchObject(published.map(() => ({ status: 'fulfilled' })));
    expect(sent.flatMap(({ records }) => records.map(({ value }) => String(value)))).toEqual(['1', '2', '3']);
    // From now on nothing is taken.
    await expect(topic.publish({ key: 'a', value: 4 })).rejects.toMatchObject({ code: 'stream-closed' });
  } finally {
    (drivers as { platformatic: unknown }).platformatic = platformatic;
  }
});

test('what is added while it is being closed is stopped too', async () => {
  const connection = new Connection(checkStreamOptions({ brokers: 'nobody:1' }));
  const asked: string[] = [];
  const tenant = (name: string): { readonly tenant: Tenant; readonly end: () => void } => {
    const { promise: stopped, resolve: end } = Promise.withResolvers<void>();
    const stop = (): Promise<void> => {
      asked.push(name);
      return stopped;
    };
    return { tenant: { name, stop, stopped }, end };
  };
  const [first, late] = [tenant('first'), tenant('late')];
  connection.add(first.tenant);
  const closed = connection.close();
  await turn();
  expect(asked).toEqual(['first']);
  connection.add(late.tenant);
  expect(asked).toEqual(['first', 'late']);
  for (const { end } of [first, late]) end();
  await closed;
});
