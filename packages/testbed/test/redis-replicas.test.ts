import { Redis } from 'ioredis';
import { expect } from 'vitest';
import { eventually } from '../src/index.ts';
import { bedTest } from '../src/vitest.ts';

const test = bedTest({ redis: 3 });

test('a replica reaches its primary through a link: cut off, it keeps what it had, and catches up afterwards', async ({
  bed,
}) => {
  const [cut, other] = bed.redis.replicas.map(({ address }) => new Redis(bed.redis.urlAt(address)));
  const primary = new Redis(bed.redis.url);
  await primary.set('cab', 'before');
  await eventually('it is copied', async () => (await cut?.get('cab')) === 'before');
  expect(bed.neighbours(bed.redis.primary).map(({ name }) => name)).toEqual(['redis-2', 'redis-3']);
  await bed.partition(['redis-2'], ['redis-1']);
  await primary.set('cab', 'during');
  await eventually('the other one has it', async () => (await other?.get('cab')) === 'during');
  // In a black hole an acknowledgement cannot come either.
  expect(await primary.wait(2, 200)).toBe(1);
  expect(await cut?.get('cab')).toBe('before');
  await bed.heal();
  await eventually('it catches up', async () => (await cut?.get('cab')) === 'during');
  for (const client of [primary, cut, other]) client?.disconnect();
});

test('a replica lags on a slow link', async ({ bed }) => {
  const [lagging, other] = bed.redis.replicas.map(({ address }) => new Redis(bed.redis.urlAt(address)));
  const primary = new Redis(bed.redis.url);
  await bed.link('redis-1', 'redis-2').set({ latencyMs: 60_000 });
  await primary.set('lag', 'x');
  await eventually('the other one has it', async () => (await other?.get('lag')) === 'x');
  expect(await lagging?.get('lag')).toBeNull();
  await bed.link('redis-1', 'redis-2').set({});
  await eventually('it has it too', async () => (await lagging?.get('lag')) === 'x');
  for (const client of [primary, lagging, other]) client?.disconnect();
});

test('a replica has no link to another replica, and the error says which there are', async ({ bed }) => {
  expect(() => bed.link('redis-2', 'redis-3')).toThrow(
    /two servers with a link between them: redis-2 and redis-1, redis-3 and redis-1, got \[ 'redis-2', 'redis-3' \]/,
  );
  await expect(bed.partition(['redis-2'], ['redis-3'])).rejects.toMatchObject({ code: 'invalid-argument' });
});
