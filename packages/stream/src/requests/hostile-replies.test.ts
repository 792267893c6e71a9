import { eventually } from '@quorate/testbed';
import { expect, test } from 'vitest';
import type { Connection } from '../connection.ts';
import type { PartitionReaderEvents } from '../driver/partition-reader.ts';
import type { KafkaRecord, ReadRecord } from '../driver/record.ts';
import { headerNames } from '../topic/headers.ts';
import { Exchange } from './exchange.ts';
import { Requester } from './requester.ts';

/** A requester whose Kafka is a list of what was published. */
async function alone() {
  const published: { readonly topic: string; readonly record: KafkaRecord }[] = [];
  let events: PartitionReaderEvents | undefined;
  const opened = {
    driver: {
      admin: { leaders: async () => [1], offsets: async () => new Map([[0, 0n]]) },
      readPartitions: async (_: unknown, given: PartitionReaderEvents) => {
        events = given;
        return { stop: async () => {} };
      },
    },
    layout: { known: () => [1] },
    publisher: {
      publish: async (topic: string, _: number, record: KafkaRecord) => {
        published.push({ topic, record });
        return 0n;
      },
    },
  };
  const connection = { open: async () => opened, until: (signal: AbortSignal) => signal } as unknown as Connection;
  const requester = new Requester(new Exchange('ask', {}), connection);
  const correlationOf = ({ headers }: KafkaRecord): string =>
    String(headers.find(([name]) => name === headerNames.correlation)?.[1]);
  return {
    requester,
    published,
    /** Sends a request, and says by which name it goes. */
    ask: async (options: { readonly onProgress?: () => void } = {}) => {
      const before = published.length;
      const reply = requester.request('x', options);
      reply.catch(() => {});
      await eventually('it is sent', () => published.length > before);
      return { reply, correlation: correlationOf(published[before]?.record as KafkaRecord) };
    },
    cancelled: () =>
      published.filter(({ topic }) => topic === 'ask.cancels').map(({ record }) => correlationOf(record)),
    hear: (...records: readonly ReadRecord[]) =>
      events?.records({ topic: 'ask.replies', partition: 0 }, records, { next: 9n, end: 9n }),
  };
}

function reply(correlation: string, kind: string, value: string): ReadRecord {
  const headers = [
    [headerNames.correlation, Buffer.from(correlation)],
    [headerNames.kind, Buffer.from(kind)],
  ] as const;
  return { key: null, value: Buffer.from(value), headers, timestamp: 0, offset: 0n };
}

test.each([
  ['an object where text should be', '{"code":{"toString":1,"valueOf":1},"message":{"toString":1}}'],
  ['nothing', 'null'],
  ['no JSON', '{'],
  ['a number', '5'],
])('an error that says %s is an error, and the replies behind it are heard', async (_, hostile) => {
  const { ask, hear } = await alone();
  const first = await ask();
  const second = await ask();
  hear(reply(first.correlation, 'error', hostile), reply(second.correlation, 'reply', '"fine"'));
  await expect(first.reply).rejects.toMatchObject({ code: 'responder-failed', reason: '' });
  await expect(first.reply).rejects.toThrow('no reason was given');
  expect(await second.reply).toBe('fine');
});

test('when whoever asked cannot take the progress, the responder is told that nobody waits', async () => {
  const { ask, hear, cancelled, requester } = await alone();
  const onProgress = (): void => {
    throw new Error('no room');
  };
  const { reply: waiting, correlation } = await ask({ onProgress });
  hear(reply(correlation, 'progress', '1'), reply(correlation, 'reply', '2'));
  await expect(waiting).rejects.toThrow('no room');
  await eventually('it is cancelled', () => cancelled().includes(correlation));
  expect(requester.stats()).toMatchObject({ pending: 0, replied: 0, late: 1 });
});
