import { eventually } from '@quorate/testbed';
import { sharedTest as test } from '@quorate/testbed/vitest';
import { afterAll, describe, expect } from 'vitest';
import { type Caches, caches } from './fixture.ts';
import { OtherProcess } from './other-process.ts';

const urlOf = (servers: Readonly<Record<string, string>>): string => servers.QUORATE_REDIS ?? '';

/** The tests of this file share their processes, each with caches of its own: to start one takes longer than most of them. */
const started: OtherProcess[] = [];
afterAll(() => Promise.all(started.map((other) => other.kill())));

async function processes(count: number, c: Caches, url: string, settings: object = {}): Promise<OtherProcess[]> {
  while (started.length < count) started.push(OtherProcess.start(url));
  const some = started.slice(0, count);
  // A test that has failed may have left one that stands still.
  for (const other of some) other.resume();
  await Promise.all(some.map((other) => other.open(c.prefix, { heartbeat: 100, ...settings })));
  return some;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);

describe('a stampede of 1,000 callers in 4 processes', () => {
  test.for([
    ['for a cold key', {}, 3],
    ['for a cold key, with no local tier', { local: false }, 3],
    // Long enough for the last of the processes to come, on a busy machine: later it would rightly load again.
    ['at the end of a value', { ttl: 3_000, early: 0 }, 2],
  ] as const)('%s: one load, and all get its value', async ([what, settings, rounds], { servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const all = await processes(4, c, urlOf(servers), { ttl: '1m', ...settings });
    for (let round = 1; round <= rounds; round += 1) {
      // The same key each time where it ends by itself, else a new one.
      const key = what.includes('end') ? 'zone' : `zone ${round}`;
      await eventually('the key is cold', async () => (await c.redis.exists(`${c.prefix}:{${key}}`)) === 0);
      for (const other of all) other.tell({ key, callers: 250, loadMs: 50 });
      const values = await Promise.all(all.map((other) => other.values()));
      const value = Object.keys(values[0] ?? {})[0] ?? '';
      expect(value).toMatch(/^by \d+$/);
      expect(values).toEqual(Array(4).fill({ [value]: 250 }));
      expect(sum(await Promise.all(all.map((other) => other.loads())))).toBe(round);
    }
  });

  test('many cold keys at once: one load for each', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const all = await processes(4, c, urlOf(servers), { ttl: '1m' });
    for (let key = 0; key < 100; key += 1)
      for (const other of all) other.tell({ key: `zone ${key}`, callers: 5, loadMs: 1 });
    for (const other of all) for (let key = 0; key < 100; key += 1) await other.values();
    expect(sum(await Promise.all(all.map((other) => other.loads())))).toBe(100);
  });
});

describe('the process that loads', () => {
  test('is killed: one other takes over within the lease, and only one', async ({ servers }) => {
    await using stack = new AsyncDisposableStack();
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const lease = 1_000;
    const settings = { heartbeat: 100, lease, ttl: '1m' };
    const victim = stack.use(OtherProcess.start(urlOf(servers)));
    await victim.open(c.prefix, settings);
    const others = await processes(3, c, urlOf(servers), settings);
    victim.tell({ key: 'zone', callers: 250, loadMs: 60_000 });
    expect(await victim.hear()).toBe('loading');
    for (const other of others) other.tell({ key: 'zone', callers: 250, loadMs: 50 });
    // The lease says who holds it and who waits.
    const inLine = async (): Promise<number> => (await c.redis.get(`${c.prefix}:{zone}:lease`))?.split(' ').length ?? 0;
    await eventually('all wait', async () => (await inLine()) === 1 + others.length);
    const killed = performance.now();
    await victim.kill();
    const values = await Promise.all(others.map((other) => other.values()));
    // Its lease had been renewed a heartbeat ago at most; the rest is the load, and a busy machine.
    expect(performance.now() - killed).toBeLessThan(lease + 1_000);
    const value = Object.keys(values[0] ?? {})[0] ?? '';
    expect(values).toEqual(Array(3).fill({ [value]: 250 }));
    expect(sum(await Promise.all(others.map((other) => other.loads())))).toBe(1);
  });

  test('takes longer than its lease: it is renewed, and nobody else loads', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    // Ten beats to a lease: a machine that stands still for some of them loses nothing.
    const [one, two] = (await processes(2, c, urlOf(servers), { lease: 1_000, ttl: '1m' })) as [
      OtherProcess,
      OtherProcess,
    ];
    one.tell({ key: 'zone', callers: 1, loadMs: 2_500 });
    expect(await one.hear()).toBe('loading');
    two.tell({ key: 'zone', callers: 1, loadMs: 1 });
    expect(await two.values()).toEqual(await one.values());
    expect(await two.loads()).toBe(0);
  });

  test('is paused beyond its lease and wakes up: what it loaded is given to its own callers, and not kept', async ({
    servers,
  }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const [paused, other] = (await processes(2, c, urlOf(servers), { lease: 400, ttl: '1m' })) as [
      OtherProcess,
      OtherProcess,
    ];
    paused.tell({ key: 'zone', callers: 1, loadMs: 300 });
    expect(await paused.hear()).toBe('loading');
    paused.pause();
    other.tell({ key: 'zone', callers: 1, loadMs: 1 });
    const [value] = Object.keys(await other.values());
    paused.resume();
    const late = Object.keys(await paused.values());
    expect(late).not.toEqual([value]);
    for (const each of [paused, other]) {
      each.tell({ key: 'zone', callers: 1, loadMs: 1 });
      expect(await each.values()).toEqual({ [value ?? '']: 1 });
    }
  });
});

test('a leader that was paused and has been replaced loses: what the new one wrote stays', async ({ servers }) => {
  await using c = caches(servers.QUORATE_REDIS ?? '');
  const [former] = (await processes(1, c, urlOf(servers), { lease: 400, ttl: '1m' })) as [OtherProcess];
  former.tell({ key: 'dataset', callers: 3, loadMs: 300, fence: '7' });
  expect(await former.hear()).toBe('loading');
  former.pause();
  const leader = await c.cache({ lease: 400 });
  await leader.set('dataset', 'by the new leader', { fence: 8n });
  // Even when it has gone again: the old leader's word counts no more.
  await leader.delete('dataset', { fence: 8n });
  former.resume();
  const [first] = Object.keys(await former.values());
  expect(await c.redis.exists(`${c.prefix}:{dataset}`)).toBe(0);
  former.tell({ key: 'dataset', callers: 3, loadMs: 1, fence: '7' });
  expect(await former.values()).toEqual({ 'error fenced': 3 });
  expect(first).toMatch(/^by \d+$/);
  await leader.set('dataset', 'by the new leader', { fence: 8n });
  expect(await leader.get('dataset', () => 'not needed')).toBe('by the new leader');
});

test('a process that stood still gives out nothing that was changed meanwhile, not even before it has heard', async ({
  servers,
}) => {
  await using c = caches(servers.QUORATE_REDIS ?? '');
  const [other] = (await processes(1, c, urlOf(servers), { ttl: '1m' })) as [OtherProcess];
  const cache = await c.cache();
  await cache.set('zone', 'old');
  const ask = async (): Promise<string[]> => {
    other.tell({ key: 'zone', callers: 1, loadMs: 1 });
    return Object.keys(await other.values());
  };
  await eventually('it has it in its memory', async () => {
    expect(await ask()).toEqual(['old']);
    return (await other.localHits()) > 0;
  });
  other.tell({ ask: 'stand still', key: 'zone', loadMs: 1_000 });
  expect(await other.hear()).toBe('standing still');
  await cache.set('zone', 'new');
  expect(Object.keys(await other.values())).toEqual(['new']);
});

test('a process ends by itself once its cache and its client are closed', async ({ servers }) => {
  await using c = caches(servers.QUORATE_REDIS ?? '');
  await using other = OtherProcess.start(urlOf(servers));
  await other.open(c.prefix);
  other.tell({ key: 'zone', callers: 2, loadMs: 1 });
  await other.values();
  expect(await other.end()).toBe(0);
});
