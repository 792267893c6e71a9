import { tracingChannel } from 'node:diagnostics_channel';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { eventually } from '@quorate/testbed';
import { bedTest } from '@quorate/testbed/vitest';
import { describe, expect, onTestFinished } from 'vitest';
import { Mesh, type ServiceInstance, type TracedRequest, type Watch } from '../src/index.ts';
import { codeOf, HttpService } from './http-service.ts';

const test = bedTest({ consul: 1 });

/** Reads on until the instances have these ids. */
async function ids(
  watch: Watch<readonly ServiceInstance[]>,
  wanted: readonly string[],
): Promise<readonly ServiceInstance[]> {
  for (;;) {
    const { value, done } = await watch.next();
    if (done) throw new Error(`the watch ended before there were ${wanted.join(', ')}`);
    if (
      isDeepStrictEqual(
        value.map(({ id }) => id),
        wanted,
      )
    )
      return value;
  }
}

test('yields the instances now, and each time they change; leaving the loop ends it', async ({ bed }) => {
  const mesh = new Mesh({ address: bed.consul.url });
  const seen: string[][] = [];
  const registered: AsyncDisposable[] = [];
  for await (const instances of mesh.watch('seen')) {
    seen.push(instances.map(({ id, status }) => `${id} ${status}`));
    if (seen.length === 1) registered.push(await mesh.register({ name: 'seen', id: 'seen-1', port: 1, checks: [] }));
    else if (seen.length === 2)
      registered.push(await mesh.register({ name: 'seen', id: 'seen-2', port: 2, checks: [] }));
    else if (seen.length === 3) await registered[0]?.[Symbol.asyncDispose]();
    else break;
  }
  await registered[1]?.[Symbol.asyncDispose]();
  expect(seen).toEqual([[], ['seen-1 passing'], ['seen-1 passing', 'seen-2 passing'], ['seen-2 passing']]);
});

test('only the latest waits for a slow reader', async ({ bed }) => {
  const mesh = new Mesh({ address: bed.consul.url });
  await using watch = mesh.watch('slow');
  await using stack = new AsyncDisposableStack();
  await watch.next();
  for (let port = 1; port <= 5; port += 1) stack.use(await mesh.register({ name: 'slow', port, checks: [] }));
  await eventually('all are known', () => watch.latest?.length === 5);
  const { value } = await watch.next();
  expect(value?.length).toBe(5);
});

test.for(['my_service.v2', 'Ümlaut', 'a+b&c=d', `${'long-'.repeat(20)}name`])(
  'a name that Consul stores can be watched: %s',
  async (name, { bed }) => {
    const mesh = new Mesh({ address: bed.consul.url });
    const put = { method: 'PUT', body: JSON.stringify({ Name: name, ID: 'foreign', Port: 7 }) };
    expect((await fetch(`${bed.consul.url}/v1/agent/service/register`, put)).status).toBe(200);
    await using watch = mesh.watch(name);
    await eventually('it is seen', () => watch.latest?.length === 1);
    expect(watch.latest?.[0]).toMatchObject({ name, id: 'foreign', port: 7 });
    expect(await mesh.instances(name)).toHaveLength(1);
    await using balancer = mesh.balancer(name);
    expect((await balancer.pick()).address).toBe('127.0.0.1:7');
    await fetch(`${bed.consul.url}/v1/agent/service/deregister/foreign`, { method: 'PUT' });
  },
);

test.for(['', 'a b', 'a/b', '..', 'a"b', 'a?b', 'a\0b', '\ud800'])('a name that is none is refused: %j', (name) => {
  const mesh = new Mesh({ address: 'http://127.0.0.1:1' });
  expect(() => mesh.watch(name)).toThrow('service: expected the name of a service');
});

describe('filters', () => {
  test('by tag, by health and by an expression', async ({ bed }) => {
    const mesh = new Mesh({ address: bed.consul.url });
    await using _1 = await mesh.register({ name: 'many', id: 'many-1', port: 1, tags: ['a'], meta: { version: '1' } });
    await using _2 = await mesh.register({
      name: 'many',
      id: 'many-2',
      port: 2,
      tags: ['a', 'b'],
      meta: { version: '2' },
    });
    await using three = await mesh.register({ name: 'many', id: 'many-3', port: 3, tags: ['b'] });
    await three.maintenance('broken');
    await using tagged = mesh.watch('many', { tag: 'a' });
    await using both = mesh.watch('many', { tag: ['a', 'b'] });
    await using passing = mesh.watch('many', { passing: true });
    await using filtered = mesh.watch('many', { filter: 'Service.Meta.version == "2"', near: '_agent' });
    expect(await ids(tagged, ['many-1', 'many-2'])).toHaveLength(2);
    expect(await ids(both, ['many-2'])).toHaveLength(1);
    expect(await ids(passing, ['many-1', 'many-2'])).toHaveLength(2);
    expect(await ids(filtered, ['many-2'])).toHaveLength(1);
    await three.endMaintenance();
    expect(await ids(passing, ['many-1', 'many-2', 'many-3'])).toHaveLength(3);
  });

  test('an expression that is wrong is refused, with what Consul says of it', async ({ bed }) => {
    const mesh = new Mesh({ address: bed.consul.url });
    const watch = mesh.watch('many', { filter: 'Service.Meta.version = 2' });
    await expect(watch.next()).rejects.toThrow(/find many: Consul answered 500: .*no match found/);
    expect(await watch.next()).toEqual({ done: true, value: undefined });
  });
});

test('aborts at once, with the reason, in the middle of a blocking query', async ({ bed }) => {
  const mesh = new Mesh({ address: bed.consul.url });
  const abort = new AbortController();
  const watch = mesh.watch('none', { signal: abort.signal });
  await watch.next();
  const waiting = watch.next();
  const begin = performance.now();
  abort.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  expect(performance.now() - begin).toBeLessThan(1_000);
  await expect(mesh.watch('none', { signal: abort.signal }).next()).rejects.toThrow('enough');
});

test('10,000 instances: all of them, and of a change among them; and no more questions than changes', async ({
  bed,
}) => {
  const put = async (path: string, body: unknown): Promise<void> => {
    const response = await fetch(bed.consul.url + path, { method: 'PUT', body: JSON.stringify(body) });
    expect(response.status, await response.text()).toBe(200);
  };
  await put('/v1/catalog/register', { Node: 'far', Address: '10.0.0.1' });
  // A transaction holds 128 operations.
  const firsts = Array.from({ length: Math.ceil(10_000 / 128) }, (_, batch) => batch * 128).values();
  const fill = async (): Promise<void> => {
    for (const first of firsts) {
      const batch = Array.from({ length: Math.min(128, 10_000 - first) }, (_, offset) => ({
        Service: { Verb: 'set', Node: 'far', Service: { ID: `crowd-${first + offset}`, Service: 'crowd', Port: 1 } },
      }));
      await put('/v1/txn', batch);
    }
  };
  await Promise.all(Array.from({ length: 8 }, fill));
  const mesh = new Mesh({ address: bed.consul.url });
  let questions = 0;
  const count = {
    start: ({ operation }: TracedRequest) => {
      if (operation === 'find crowd') questions += 1;
    },
  };
  const requests = tracingChannel('quorate.mesh.request');
  await using watch = mesh.watch('crowd', { passing: true });
  const before = new Set((await watch.next()).value);
  expect(before.size).toBe(10_000);
  requests.subscribe(count as never);
  onTestFinished(() => requests.unsubscribe(count as never));
  await put('/v1/catalog/deregister', { Node: 'far', ServiceID: 'crowd-5000' });
  const { value: after = [] } = await watch.next();
  expect(after).toHaveLength(9_999);
  // What has not changed is the same object: who compares need not look into it.
  expect(after.filter((instance) => !before.has(instance))).toEqual([]);
  const begin = performance.now();
  await eventually('a second went by', () => performance.now() - begin > 1_000);
  expect(questions).toBeLessThanOrEqual(2);
  await put('/v1/catalog/deregister', { Node: 'far' });
});

test('an instance that stays critical is to be forgotten: after an hour, after what was said, or never', async ({
  bed,
}) => {
  const mesh = new Mesh({ address: bed.consul.url });
  const checks = [{ tcp: '127.0.0.1:1', interval: '1s' as const }];
  await using _1 = await mesh.register({ name: 'forgotten', id: 'by-default', port: 1, checks });
  await using _2 = await mesh.register({
    ...{ name: 'forgotten', id: 'as-said', port: 1, checks },
    deregisterCriticalServiceAfter: '90m',
  });
  await using _3 = await mesh.register({
    ...{ name: 'forgotten', id: 'never', port: 1, checks },
    deregisterCriticalServiceAfter: false,
  });
  // The agent tells nobody. What it will do after a restart is in its folder.
  const folder = join(bed.consul.server(1).folder, 'data', 'checks');
  const files = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isFile());
  const kept = await Promise.all(files.map(({ name }) => readFile(join(folder, name), 'utf8')));
  const after = (id: string): string | undefined =>
    /"DeregisterCriticalServiceAfter":"?(\w+)/.exec(kept.find((text) => text.includes(`service:${id}:1`)) ?? '')?.[1];
  expect(after('by-default')).toMatch(/^(?:1h0m0s|3600000000000)$/);
  expect(after('as-said')).toMatch(/^(?:1h30m0s|5400000000000)$/);
  expect(after('never')).toMatch(/^(?:0s?)$/);
});

test('over an agent that dies and has lost its registrations: the last answer is kept, its age told, and all is back by itself, once', async ({
  bed,
}) => {
  await using mesh = new Mesh({ address: bed.consul.url, timeout: '2s' });
  const checks = [{ ttl: '5s' as const }];
  await using one = await mesh.register({ name: 'lasting', id: 'lasting-1', port: 1, checks, sidecar: true });
  await using two = await mesh.register({ name: 'lasting', id: 'lasting-2', port: 2, checks });
  await using service = await HttpService.start((_, response) => response.end('serving'));
  await using _serving = await mesh.register({ name: 'serving', port: service.port, checks: [] });
  await using balancer = mesh.balancer('serving', { policy: 'round-robin' });
  using _first = await balancer.pick();
  expect((await mesh.fetch('http://serving/')).status).toBe(200);
  await using watch = mesh.watch('lasting');
  const last = await ids(watch, [one.id, two.id]);
  await bed.consul.server(1).kill();
  await eventually('the failure is told', () => watch.failure);
  expect(await codeOf(Promise.reject(watch.failure))).toBe('agent-unreachable');
  await eventually('all say so', () => [mesh, one, two].every((component) => component.health().status === 'warn'));
  // Who sends requests goes on with the last answer.
  expect(await (await mesh.fetch('http://serving/')).text()).toBe('serving');
  using endpoint = await balancer.pick();
  expect([endpoint.instance.name, balancer.age > 0]).toEqual(['serving', true]);
  expect(watch.latest).toBe(last);
  const { age } = watch;
  await eventually('it grows older', () => watch.age > age + 200);
  // What an agent keeps of its services is in its folder: without that it has lost them, as one with a new disk has.
  await rm(join(bed.consul.server(1).folder, 'data', 'services'), { recursive: true });
  await rm(join(bed.consul.server(1).folder, 'data', 'checks'), { recursive: true });
  const before = watch.age;
  await bed.consul.server(1).restart();
  await eventually('the agent answers again', () => watch.failure === undefined);
  // It begins anew with the answer.
  expect(watch.age).toBeLessThan(before);
  const known = async (service: string): Promise<number> => {
    const all = await (await fetch(`${bed.consul.url}/v1/agent/services`)).json();
    return Object.values(all as Record<string, { Service: string }>).filter(({ Service }) => Service === service)
      .length;
  };
  await eventually('the agent has them again', async () => (await known('lasting')) === 2);
  await eventually('and so have all', async () => {
    const instances = await mesh.instances('lasting', { passing: true });
    return isDeepStrictEqual(
      instances.map(({ port }) => port),
      [1, 2],
    );
  });
  expect(await known('lasting-sidecar-proxy')).toBe(1);
  await eventually('so is the sidecar', async () => (await mesh.instances('lasting-sidecar-proxy')).length === 1);
  await eventually('they are well', () => [one, two].every((instance) => instance.health().status === 'pass'));
  // An agent that has just come back may need longer than the watch waits.
  const patient = new Mesh({ address: bed.consul.url });
  await using third = await patient.register({ name: 'lasting', id: 'lasting-3', port: 3, checks });
  await ids(watch, [one.id, two.id, third.id]);
});
