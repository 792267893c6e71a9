import { expect, test } from 'vitest';
import type { Opened } from '../connection.ts';
import type { TopicShape } from '../driver/admin.ts';
import { Codec } from '../topic/codec.ts';
import { json } from '../topic/format.ts';
import { checkConsumeOptions } from './consume-options.ts';
import { largest } from './record-limits.ts';
import { startConsumer } from './start-consumer.ts';

const { signal } = new AbortController();

/** Starts a consumer of a topic that takes so much, at a Kafka that is none; gives the topics that were made for it. */
async function madeFor(takes: number): Promise<ReadonlyMap<string, TopicShape>> {
  const made = new Map<string, TopicShape>();
  const admin = {
    leaders: async (name: string) => (name === 'rides' ? [1] : undefined),
    describeTopic: async () => ({ partitions: 3, replication: 2, settings: { [largest]: String(takes) } }),
    createTopic: async (name: string, shape: TopicShape) => {
      made.set(name, shape);
      return true;
    },
  };
  const driver = { admin, readGroup: async () => ({ stop: async () => {} }) };
  const settings = checkConsumeOptions({ group: 'shop', handler: () => {}, retry: { outOfOrder: true } });
  const codec = new Codec('rides', undefined, undefined, json);
  await using _ = await startConsumer({ driver } as unknown as Opened, 'rides', codec, settings, signal);
  return made;
}

test('the topics that it makes take more than its own: what a letter says beside its message has to fit', async () => {
  const made = await madeFor(1_000_000);
  expect([...made.keys()]).toEqual(['rides.dead', 'rides.shop.later']);
  for (const { partitions, replication, settings } of made.values())
    expect([partitions, replication, settings[largest]]).toEqual([3, 2, '1016384']);
});

test('but no more than a topic can take', async () => {
  for (const takes of [2 ** 31 - 1, 2 ** 31 - 100])
    for (const { settings } of (await madeFor(takes)).values()) expect(settings[largest]).toBe('2147483647');
});
