import { expect, test } from 'vitest';
import { round, type Turn } from './targets.ts';

const servers = ['a', 'b', 'c'].map((host) => ({ host, port: 2181 }));
const failed = (): void => undefined;

const { signal } = new AbortController();
const given = { last: undefined, failed, patience: 1_000, signal };

async function addresses(turns: AsyncIterable<Turn>): Promise<string[]> {
  const found: string[] = [];
  for await (const { target } of turns) found.push(target.address);
  return found;
}

test('tries every address of every server once, the last server last', async () => {
  const lookUp = async (host: string): Promise<string[]> => [`${host}1`, `${host}2`];
  for (let i = 0; i < 20; i += 1) {
    const found = await addresses(round({ servers, fallback: [] }, { ...given, last: 'b:2181', lookUp }));
    expect([...found].sort()).toEqual(['a1', 'a2', 'b1', 'b2', 'c1', 'c2']);
    expect(found.slice(4).sort()).toEqual(['b1', 'b2']);
  }
});

test('the fallback is tried when all others were, whoever was the last', async () => {
  const lookUp = async (host: string): Promise<string[]> => [host];
  const fallback = ['x', 'y'].map((host) => ({ host, port: 2181 }));
  for (let i = 0; i < 20; i += 1) {
    const found = await addresses(round({ servers, fallback }, { ...given, last: 'b:2181', lookUp }));
    expect(found.slice(0, 3).sort()).toEqual(['a', 'b', 'c']);
    expect(found[2]).toBe('b');
    expect(found.slice(3).sort()).toEqual(['x', 'y']);
  }
});

test('a name is resolved again in each round, and one that does not resolve does not hide the others', async () => {
  let moved = false;
  const failures: string[] = [];
  const lookUp = async (host: string): Promise<string[]> => {
    if (host === 'a') throw new Error('ENOTFOUND');
    return [moved ? 'new' : 'old'];
  };
  const options = { ...given, lookUp, failed: (error: Error) => failures.push(error.message) };
  expect(await addresses(round({ servers, fallback: [] }, options))).toEqual(['old', 'old']);
  moved = true;
  expect(await addresses(round({ servers, fallback: [] }, options))).toEqual(['new', 'new']);
  expect(failures).toEqual(Array(2).fill('a:2181: its name could not be resolved'));
});

test('clients spread over the servers', async () => {
  const first = new Map<string, number>();
  const lookUp = async (host: string): Promise<string[]> => [host];
  let x = 7;
  const random = (): number => {
    x = (x * 16_807) % 2_147_483_647;
    return x / 2_147_483_647;
  };
  for (let i = 0; i < 300; i += 1) {
    const [host = ''] = await addresses(round({ servers, fallback: [] }, { ...given, lookUp, random }));
    first.set(host, (first.get(host) ?? 0) + 1);
  }
  for (const host of ['a', 'b', 'c']) expect(first.get(host)).toBeGreaterThan(60);
});

test('a name that hangs holds nobody up: it has its turn when all others had theirs, or is given up', async () => {
  const failures: string[] = [];
  const lookUp = async (host: string): Promise<string[]> => (host === 'a' ? new Promise(() => {}) : [host]);
  const options = { ...given, lookUp, failed: (error: Error) => failures.push(error.message) };
  const begin = performance.now();
  const turns = round({ servers, fallback: [] }, options);
  const first = await addresses(take(turns, 2));
  expect([...first].sort()).toEqual(['b', 'c']);
  expect(performance.now() - begin).toBeLessThan(900);
  expect(await addresses(round({ servers, fallback: [] }, options))).toHaveLength(2);
  expect(failures).toEqual(['a:2181: its name was not resolved within 1000 ms']);
});

async function* take<Item>(items: AsyncIterable<Item>, count: number): AsyncGenerator<Item> {
  let left = count;
  for await (const item of items) {
    yield item;
    left -= 1;
    if (left === 0) return;
  }
}

test('a name that is resolved late has its turn last', async () => {
  const late = Promise.withResolvers<string[]>();
  const lookUp = async (host: string): Promise<string[]> => (host === 'a' ? late.promise : [host]);
  const found: string[] = [];
  for await (const { target } of round({ servers, fallback: [] }, { ...given, lookUp })) {
    found.push(target.address);
    if (found.length === 2) late.resolve(['a1', 'a2']);
  }
  expect(found.slice(2).sort()).toEqual(['a1', 'a2']);
});

test('an abort ends the wait for a name', async () => {
  const controller = new AbortController();
  const lookUp = (): Promise<string[]> => new Promise(() => {});
  const turns = addresses(
    round({ servers, fallback: [] }, { ...given, lookUp, patience: 60_000, signal: controller.signal }),
  );
  controller.abort();
  expect(await turns).toEqual([]);
});

test('the time is shared by all addresses that are known', async () => {
  const lookUp = async (host: string): Promise<string[]> => [`${host}1`, `${host}2`, `${host}3`];
  for await (const { of } of round({ servers, fallback: [] }, { ...given, lookUp })) expect(of).toBe(9);
});
