import { expect, test } from 'vitest';
import { round } from './targets.ts';

const servers = ['a', 'b', 'c'].map((host) => ({ host, port: 2181 }));
const failed = (): void => undefined;

async function addresses(targets: AsyncIterable<{ address: string }>): Promise<string[]> {
  const found: string[] = [];
  for await (const { address } of targets) found.push(address);
  return found;
}

test('tries every address of every server once, the last server last', async () => {
  const resolve = async (host: string): Promise<string[]> => [`${host}1`, `${host}2`];
  for (let i = 0; i < 20; i += 1) {
    const found = await addresses(round(servers, { last: 'b:2181', failed, resolve }));
    expect([...found].sort()).toEqual(['a1', 'a2', 'b1', 'b2', 'c1', 'c2']);
    expect(found.slice(4).sort()).toEqual(['b1', 'b2']);
  }
});

test('a name is resolved again in each round, and one that does not resolve does not hide the others', async () => {
  let moved = false;
  const failures: string[] = [];
  const resolve = async (host: string): Promise<string[]> => {
    if (host === 'a') throw new Error('ENOTFOUND');
    return [moved ? 'new' : 'old'];
  };
  const options = { last: undefined, resolve, failed: (error: Error) => failures.push(error.message) };
  expect(await addresses(round(servers, options))).toEqual(['old', 'old']);
  moved = true;
  expect(await addresses(round(servers, options))).toEqual(['new', 'new']);
  expect(failures).toEqual(Array(2).fill('a:2181: its name could not be resolved'));
});

test('clients spread over the servers', async () => {
  const first = new Map<string, number>();
  const resolve = async (host: string): Promise<string[]> => [host];
  let x = 7;
  const random = (): number => {
    x = (x * 16_807) % 2_147_483_647;
    return x / 2_147_483_647;
  };
  for (let i = 0; i < 300; i += 1) {
    const [host = ''] = await addresses(round(servers, { last: undefined, failed, resolve, random }));
    first.set(host, (first.get(host) ?? 0) + 1);
  }
  for (const host of ['a', 'b', 'c']) expect(first.get(host)).toBeGreaterThan(60);
});
