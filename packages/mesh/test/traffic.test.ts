import type { RequestListener } from 'node:http';
import { eventually } from '@quorate/testbed';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defaults, Mesh, resolver, router, splitter } from '../src/index.ts';
import { traffic } from './picture.ts';
import { ask, type Resident, settle, shared } from './town.ts';

const subsets = { v1: 'Service.Meta.version == "1"', v2: 'Service.Meta.version == "2"' };

// Two versions of a service that answer with their number, and somebody who asks them: for one test after the other.
const stack = new AsyncDisposableStack();
let mesh: Mesh;
let one: Resident;
let gateway: Resident;
let url: string;

beforeAll(async () => {
  const { consul, envoy } = shared();
  mesh = stack.use(new Mesh({ address: consul }));
  await mesh.config.put(defaults('versions', { protocol: 'http' }));
  await mesh.config.put(resolver('versions', { subsets }));
  const version = (number: string): Promise<Resident> => {
    const answer: RequestListener = (_, response) => response.end(number);
    return settle(mesh, 'versions', { envoy, meta: { version: number }, answer, until: stack });
  };
  const settling = [
    version('1'),
    version('2'),
    settle(mesh, 'asker', { envoy, to: ['versions'], until: stack }),
  ] as const;
  const [first, second, asking] = await Promise.all(settling);
  one = first;
  gateway = asking;
  url = gateway.upstream.versions as string;
  await traffic(consul, [first, second, asking], async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask(url)));
    return answers.some(({ text }) => text === '1') && answers.some(({ text }) => text === '2');
  });
});
afterAll(() => stack.disposeAsync());

/** How many of so many requests each answer got. */
async function poll(url: string, requests: number): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  let left = requests;
  const client = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const { status, text } = await ask(url);
      const answer = status === 200 ? text : `status ${status}`;
      counts[answer] = (counts[answer] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: 16 }, client));
  return counts;
}

test('a canary of 10 % gets 10 %: 1,500 requests within five standard deviations', async () => {
  await mesh.config.put(splitter('versions', { v1: 90, v2: 10 }));
  const counts = await poll(url, 1_500);
  // 1,500 throws at 0.1: the standard deviation is the root of 1,500 × 0.1 × 0.9, that is 11.6.
  expect(Object.keys(counts).sort()).toEqual(['1', '2']);
  expect(Math.abs((counts[2] ?? 0) - 150)).toBeLessThan(5 * 11.6);
  await mesh.config.put(splitter('versions', { v1: 0, v2: 100 }));
  expect(await poll(url, 200)).toEqual({ 2: 200 });
  await mesh.config.delete('service-splitter', 'versions');
});

test('when all instances of a subset are critical, traffic goes to the other one, and comes back', async () => {
  await mesh.config.put(resolver('versions', { subsets, defaultSubset: 'v1', failover: { v1: { subset: 'v2' } } }));
  expect(await poll(url, 50)).toEqual({ 1: 50 });
  await one.instance.maintenance('critical, on purpose');
  await eventually('the other subset answers', async () => (await ask(url)).text === '2', { within: 5_000 });
  expect(await poll(url, 50)).toEqual({ 2: 50 });
  await one.instance.endMaintenance();
  await eventually('the first subset answers', async () => (await ask(url)).text === '1', { within: 5_000 });
});

test('routes: by path, method and header, with the path rewritten; and a redirect', async () => {
  await mesh.config.put(defaults('elsewhere', { protocol: 'http' }));
  await settle(mesh, 'elsewhere', {
    envoy: shared().envoy,
    answer: (request, response) => response.end(`elsewhere ${request.url}`),
  });
  await mesh.config.put(resolver('versions', { subsets, defaultSubset: 'v1' }));
  await mesh.config.put(
    router('versions', [
      { match: { path: { prefix: '/old' } }, to: { service: 'elsewhere', prefixRewrite: '/new' } },
      { match: { headers: { 'x-canary': 'yes' } }, to: { subset: 'v2' } },
      { match: { path: { exact: '/' }, methods: ['POST'] }, to: { subset: 'v2', retries: 1, retryOn: [503] } },
    ]),
  );
  await eventually('the other service is known', async () => (await ask(`${url}/old`)).status === 200);
  const answers = await Promise.all([
    ask(url),
    ask(`${url}/old/town`),
    ask(url, { headers: { 'x-canary': 'yes' } }),
    ask(url, { method: 'POST', body: '' }),
    ask(`${url}/x`, { method: 'POST', body: '' }),
  ]);
  expect(answers.map(({ text }) => text)).toEqual(['1', 'elsewhere /new/town', '2', '2', '1']);
  await mesh.config.delete('service-router', 'versions');
  await mesh.config.put(resolver('versions', { redirect: { service: 'elsewhere' } }));
  await eventually('redirected', async () => (await ask(`${url}/y`)).text === 'elsewhere /y', { within: 5_000 });
  expect(await mesh.config.get('service-router', 'versions')).toBeUndefined();
  expect((await mesh.config.get('service-resolver', 'versions'))?.Redirect).toMatchObject({ Service: 'elsewhere' });
  expect((await mesh.config.list('service-resolver')).map(({ Name }) => Name)).toContain('versions');
  expect(gateway.sidecar.state).toBe('ready');
});

describe('what makes no sense is refused', () => {
  test.for<[argument: string, build: () => unknown]>([
    ['protocol', () => defaults('a', { protocol: 'udp' as never })],
    ['options.protcol', () => defaults('a', { protcol: 'http' } as never)],
    ['splits', () => splitter('a', { v1: 90, v2: 20 })],
    ['splits[0].weight', () => splitter('a', [{ weight: 101 }])],
    ['defaultSubset', () => resolver('a', { subsets, defaultSubset: 'v3' })],
    ['failover', () => resolver('a', { subsets, failover: { v3: { service: 'b' } } })],
    ['failover.v1', () => resolver('a', { subsets, failover: { v1: { subset: 'v9' } } })],
    ['failover.*[0]', () => resolver('a', { failover: { '*': {} } })],
    ['redirect', () => resolver('a', { subsets, redirect: { service: 'b' } })],
    ['routes[0].match.path', () => router('a', [{ match: { path: { exact: '/', prefix: '/' } as never } }])],
    ['routes[0].match.path.prefix', () => router('a', [{ match: { path: { prefix: 'x' } } }])],
    ['routes[0].to.timeout', () => router('a', [{ to: { timeout: 'never' as never } }])],
  ])('%s', ([argument, build]) => {
    expect(build).toThrow(`${argument}: expected`);
  });

  test('by Consul as well, in its words: a split of what speaks tcp', async () => {
    await mesh.config.put(defaults('speaks-tcp', { protocol: 'tcp' }));
    const put = mesh.config.put(splitter('speaks-tcp', [{ weight: 100 }]));
    await expect(put).rejects.toThrow(/put service-splitter speaks-tcp: Consul answered \d+: .*protocol/);
    await expect(mesh.intentions.rules('a', 'b', [{ action: 'allow' }])).rejects.toThrow('permissions[0]: expected');
    await expect(mesh.intentions.rules('a', 'b', [])).rejects.toThrow('permissions: expected');
  });
});
