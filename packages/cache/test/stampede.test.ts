import { eventually } from '@quorate/testbed';
import { sharedTest } from '@quorate/testbed/vitest';
import { describe, expect, inject } from 'vitest';
import { type Caches, caches } from './fixture.ts';
import { OtherProcess } from './other-process.ts';

const urlOf = (servers: Readonly<Record<string, string>>): string => servers.QUORATE_REDIS ?? '';

async function processes(
  stack: AsyncDisposableStack,
  count: number,
  c: Caches,
  url: string,
  settings: object = {},
): Promise<OtherProcess[]> {
  return Promise.all(
    Array.from({ length: count }, async () =>
      stack.use(await OtherProcess.start(url, c.prefix, { heartbeat: 100, ...settings })),
    ),
  );
}

interface Crew {
  readonly c: Caches;
  readonly all: readonly OtherProcess[];
}

/** A crew for several tests, each with keys of its own: to start a process takes longer than most of what it is asked. */
const crew =
  (count: number, settings: object) =>
  // biome-ignore lint/correctness/noEmptyPattern: Vitest reads from the pattern which other fixtures this one needs.
  async ({}, { onCleanup }: { readonly onCleanup: (clean: () => Promise<void>) => void }): Promise<Crew> => {
    const stack = new AsyncDisposableStack();
    onCleanup(() => stack.disposeAsync());
    const url = urlOf(inject('quorateBed') ?? {});
    const c = stack.use(caches(url));
    return { c, all: await processes(stack, count, c, url, { ttl: '1m', early: 0, ...settings }) };
  };

const test = sharedTest
  .extend('four', { scope: 'file' }, crew(4, {}))
  .extend('fourWithoutMemory', { scope: 'file' }, crew(4, { local: false }))
  .extend('two', { scope: 'file' }, crew(2, { lease: 400 }));

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);
const loadsOf = async (all: readonly OtherProcess[]): Promise<number> =>
  sum(await Promise.all(all.map((other) => other.loads())));

describe('a stampede of 1,000 callers in 4 processes', () => {
  const stampede = async (
    { c, all }: Crew,
    rounds: number,
    how: object,
    keyOf: (round: number) => string,
  ): Promise<void> => {
    const before = await loadsOf(all);
    for (let round = 1; round <= rounds; round += 1) {
      const key = keyOf(round);
      await eventually('the key is cold', async () => (await c.redis.exists(`${c.prefix}:{${key}}`)) === 0);
      for (const other of all) other.tell({ key, callers: 250, loadMs: 50, ...how });
      const values = await Promise.all(all.map((other) => other.values()));
      const value = Object.keys(values[0] ?? {})[0] ?? '';
      expect(value).toMatch(/^by \d+$/);
      expect(values).toEqual(Array(4).fill({ [value]: 250 }));
      expect(await loadsOf(all)).toBe(before + round);
    }
  };

  test('for a cold key: one load, and all get its value', async ({ four }) => {
    await stampede(four, 3, {}, (round) => `zone ${round}`);
  });

  test('for a cold key, with no local tier: one load, and all get its value', async ({ fourWithoutMemory }) => {
    await stampede(fourWithoutMemory, 3, {}, (round) => `zone ${round}`);
  });

  test('at the end of a value: one load, and all get its value', async ({ four }) => {
    // Long enough for the last of the processes to come, on a busy machine: later it would rightly load again.
    await stampede(four, 2, { ttl: 3_000 }, () => 'brief');
  });

  test('many cold keys at once: one load for each', async ({ four: { all } }) => {
    const before = await loadsOf(all);
    for (let key = 0; key < 100; key += 1)
      for (const other of all) other.tell({ key: `many ${key}`, callers: 5, loadMs: 1 });
    for (const other of all) for (let key = 0; key < 100; key += 1) await other.values();
    expect(await loadsOf(all)).toBe(before + 100);
  });
});

describe('the process that loads', () => {
  test('is killed: one other takes over within the lease, and only one', async ({ servers }) => {
    await using stack = new AsyncDisposableStack();
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const lease = 1_000;
    const all = await processes(stack, 4, c, urlOf(servers), { lease, ttl: '1m' });
    const [victim, ...others] = all as [OtherProcess, ...OtherProcess[]];
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
    expect(await loadsOf(others)).toBe(1);
  });

  test('takes longer than its lease: it is renewed, and nobody else loads', async ({ two: { all } }) => {
    const [one, two] = all as [OtherProcess, OtherProcess];
    const before = await two.loads();
    one.tell({ key: 'long', callers: 1, loadMs: 1_200 });
    expect(await one.hear()).toBe('loading');
    two.tell({ key: 'long', callers: 1, loadMs: 1 });
    expect(await two.values()).toEqual(await one.values());
    expect(await two.loads()).toBe(before);
  });

  test('is paused beyond its lease and wakes up: what it loaded is given to its own callers, and not kept', async ({
    two: { all },
  }) => {
    const [paused, other] = all as [OtherProcess, OtherProcess];
    paused.tell({ key: 'paused', callers: 1, loadMs: 300 });
    expect(await paused.hear()).toBe('loading');
    paused.pause();
    other.tell({ key: 'paused', callers: 1, loadMs: 1 });
    const [value] = Object.keys(await other.values());
    paused.resume();
    const late = Object.keys(await paused.values());
    expect(late).not.toEqual([value]);
    for (const each of [paused, other]) {
      each.tell({ key: 'paused', callers: 1, loadMs: 1 });
      expect(await each.values()).toEqual({ [value ?? '']: 1 });
    }
  });
});

test('a leader that was paused and has been replaced loses: what the new one wrote stays', async ({
  two: { c, all },
}) => {
  const [former] = all as [OtherProcess, OtherProcess];
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
  two: { c, all },
}) => {
  const [other] = all as [OtherProcess, OtherProcess];
  const cache = await c.cache();
  await cache.set('still', 'old');
  const ask = async (): Promise<string[]> => {
    other.tell({ key: 'still', callers: 1, loadMs: 1 });
    return Object.keys(await other.values());
  };
  await eventually('it has it in its memory', async () => {
    expect(await ask()).toEqual(['old']);
    return (await other.localHits()) > 0;
  });
  other.tell({ ask: 'stand still', key: 'still', loadMs: 1_000 });
  expect(await other.hear()).toBe('standing still');
  await cache.set('still', 'new');
  expect(Object.keys(await other.values())).toEqual(['new']);
});

test('a process ends by itself once its cache and its client are closed', async ({ servers }) => {
  await using c = caches(servers.QUORATE_REDIS ?? '');
  await using other = await OtherProcess.start(urlOf(servers), c.prefix);
  other.tell({ key: 'zone', callers: 2, loadMs: 1 });
  await other.values();
  expect(await other.end()).toBe(0);
});
