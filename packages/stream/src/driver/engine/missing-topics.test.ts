import { setImmediate } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { UnknownTopicError } from '../../errors/unknown-topic-error.ts';
import type { Cluster } from './cluster.ts';
import { watchMissing } from './missing-topics.ts';

afterEach(() => void vi.useRealTimers());

test('tells of topics that are not there at the second look, and when they are', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  const there = new Set(['mine', 'of others']);
  const cluster = {
    look: async (topics: readonly string[]) => new Map(topics.filter((one) => there.has(one)).map((one) => [one, {}])),
    unplanned: (topic: string) => new UnknownTopicError(topic),
  };
  const told: string[] = [];
  const over = new AbortController();
  const watching = watchMissing(
    cluster as unknown as Cluster,
    ['mine', 'of others', 'gone'],
    [{ topic: 'mine', partition: 0 }],
    (topic, missing) => told.push(`${topic}: ${missing?.code ?? 'there'}`),
    { what: 'read', signal: over.signal },
  );
  await setImmediate();
  expect(told).toEqual(['mine: there', 'of others: there']);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(told.at(-1)).toBe('gone: unknown-topic');
  there.add('gone');
  await vi.advanceTimersByTimeAsync(10_000);
  expect(told.at(-1)).toBe('gone: there');
  await watching;
  expect(vi.getTimerCount()).toBe(0);
});
