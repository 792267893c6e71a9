import { eventually } from '@quorate/testbed';
import { bedTest } from '@quorate/testbed/vitest';
import type { Redis } from 'ioredis';
import { expect } from 'vitest';
import type { Cache } from '../src/index.ts';
import { caches, clientOf, hearing, heldReplies } from './fixture.ts';

// Commands and their replies go over one connection of a process, word of what others change over another. Either may be slower.
const test = bedTest({ redis: 1 });

/** A client whose connection for changes goes another way than its own. */
function listeningThrough(address: string, url: string): Redis {
  const redis = clientOf(url);
  const [host = '', port] = address.split(':');
  const duplicate = redis.duplicate.bind(redis);
  redis.duplicate = (options) => duplicate({ ...options, host, port: Number(port) });
  return redis;
}

/** What is later by the clock of invalidations than word on its way, and known here before that. */
const later: [string, (cache: Cache) => Promise<unknown>][] = [
  ['an invalidation of our own', (cache) => cache.invalidate({ tags: ['others'] })],
  [
    'what was asked of the clock for another entry',
    (cache) => cache.get('another', () => 'x', { tags: ['never asked for before'] }),
  ],
];

let links = 0;

test.for(later)('word that is on its way is not lost behind %s', async ([, overtake], { bed }) => {
  await using c = caches(bed.redis.url);
  links += 1;
  const link = bed.link(`slow-word-${links}`, 'redis-1');
  const redis = listeningThrough(await link.address, bed.redis.url);
  const [slow, other] = [await c.cache({ redis, heartbeat: 500 }), await c.cache()];
  await hearing(slow, other);
  let version = 'old';
  const read = (): Promise<string> => slow.get('zone', () => version, { tags: ['zones'] });
  expect(await read()).toBe('old');
  await link.set({ latencyMs: 150 });
  version = 'new';
  await other.invalidate({ tags: ['zones'] });
  await overtake(slow);
  // It cannot know yet.
  expect(await read()).toBe('old');
  await eventually('it is forgotten', async () => (await read()) === 'new', { within: 5_000 });
  redis.disconnect();
});

test('what the clock said before a gap is not certain after it', async ({ bed }) => {
  await using c = caches(bed.redis.url);
  const link = bed.link('gap', 'redis-1');
  const redis = listeningThrough(await link.address, bed.redis.url);
  const replies = heldReplies(redis, 'evalsha');
  const [cut, other] = [await c.cache({ redis, redisTimeout: 20_000 }), await c.cache()];
  await hearing(cut, other);
  expect(await other.get('zone', () => 'old', { tags: ['zones'] })).toBe('old');
  replies.hold();
  const reading = cut.get('zone', () => 'new', { tags: ['zones'] });
  await eventually('the clock has been asked', () => replies.held() > 0);
  await link.set({ refuse: true });
  await eventually('the gap is known', () => cut.health().status !== 'pass');
  await other.invalidate({ tags: ['zones'] });
  await link.heal();
  await hearing(cut);
  replies.release();
  await reading;
  await eventually('it is forgotten', async () => (await cut.get('zone', () => 'new', { tags: ['zones'] })) === 'new', {
    within: 5_000,
  });
  redis.disconnect();
});
