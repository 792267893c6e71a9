import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import type { Component, Health } from '@quorate/core';
import { eventually } from '@quorate/testbed';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Check, type InstanceEvent, Mesh, type ServiceInstance } from '../src/index.ts';
import { codeOf, HttpService } from './http-service.ts';
import { shared } from './town.ts';

const { consul } = shared();

const host = hostname().split('.')[0];

const at = (url: string): Mesh => new Mesh({ address: url });

function becomes(mesh: Mesh, service: string, statuses: readonly string[]): Promise<readonly ServiceInstance[]> {
  return eventually(`${service} is ${statuses.join(', ')}`, async () => {
    const instances = await mesh.instances(service);
    return isDeepStrictEqual(
      instances.map(({ status }) => status),
      statuses,
    )
      ? instances
      : undefined;
  });
}

test('an instance is found with all that was said of it, and gone when disposed of', async () => {
  const mesh = at(consul);
  {
    await using instance = await mesh.register({
      name: 'cab-query',
      port: 8080,
      address: '127.0.0.9',
      tags: ['v1', 'primary'],
      meta: { version: '1' },
      weights: { passing: 7, warning: 2 },
    });
    // Many hosts have a 127.0.0.9.
    expect(instance.id).toBe(`cab-query-${host}-127.0.0.9-8080`);
    expect(await mesh.instances('cab-query', { passing: true })).toEqual([
      {
        id: instance.id,
        name: 'cab-query',
        node: 'consul-1',
        datacenter: 'dc1',
        address: '127.0.0.9',
        port: 8080,
        tags: ['v1', 'primary'],
        meta: { version: '1' },
        status: 'passing',
        weight: 7,
      },
    ]);
  }
  expect(await mesh.instances('cab-query')).toEqual([]);
});

test('two instances of a service on one host just work, each with a sidecar port of its own', async () => {
  const mesh = at(consul);
  await using one = await mesh.register({ name: 'pair', port: 8081, sidecar: true });
  await using two = await mesh.register({ name: 'pair', port: 8082, sidecar: { upstreams: { rides: 9191 } } });
  expect((await mesh.instances('pair')).map(({ port }) => port)).toEqual([8081, 8082]);
  expect(one.sidecarPort).toBeGreaterThan(0);
  expect(two.sidecarPort).not.toBe(one.sidecarPort);
  const proxies = await mesh.instances('pair-sidecar-proxy');
  expect(proxies.map(({ id, port }) => [id, port])).toEqual([
    [one.proxyId, one.sidecarPort],
    [two.proxyId, two.sidecarPort],
  ]);
  await one.deregister();
  expect((await mesh.instances('pair-sidecar-proxy')).map(({ id }) => id)).toEqual([two.proxyId]);
});

// Consul looks once a second: they wait side by side.
describe.concurrent('checks', () => {
  test.for<[kind: string, check: (port: number) => Check]>([
    ['http, a path', () => ({ http: '/healthz', interval: '1s' })],
    ['http, a URL', (port) => ({ http: `http://127.0.0.1:${port}/healthz`, interval: 1_000, method: 'HEAD' })],
    ['tcp', (port) => ({ tcp: `127.0.0.1:${port}`, interval: '1s', timeout: '500ms' })],
  ])('%s: passing while it answers, critical when it does not', async ([kind, check]) => {
    const mesh = at(consul);
    const name = `checked-${kind.replaceAll(/\W+/g, '-').toLowerCase()}`;
    await using service = await HttpService.start((_, response) => response.end('ok'));
    await using instance = await mesh.register({ name, port: service.port, checks: [check(service.port)] });
    expect((await becomes(mesh, name, ['passing']))[0]?.id).toBe(instance.id);
    await service[Symbol.asyncDispose]();
    await becomes(mesh, name, ['critical']);
  });

  test('grpc: passing while the service says that it serves', async () => {
    const mesh = at(consul);
    let asked: string | undefined;
    const rpc = createServer().on('stream', (stream: ServerHttp2Stream, headers) => {
      asked = headers[':path'];
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      // One message of two bytes: field 1, the status, is 1, serving.
      stream.end(Buffer.from([0, 0, 0, 0, 2, 0x08, 0x01]));
    });
    await once(rpc.listen(0, '127.0.0.1'), 'listening');
    const { port } = rpc.address() as AddressInfo;
    const checks = [{ grpc: `127.0.0.1:${port}/query`, interval: '1s' as const }];
    await using _ = await mesh.register({ name: 'rpc', port, checks });
    await becomes(mesh, 'rpc', ['passing']);
    expect(asked).toBe('/grpc.health.v1.Health/Check');
    rpc.close();
    await becomes(mesh, 'rpc', ['critical']);
  });

  // Each looks by itself: all of it one after the other would take twice as long.
  test.for<[service: string, answers: readonly [answer: unknown, status: string][]]>([
    [
      'says-true',
      [
        [true, 'passing'],
        [false, 'critical'],
      ],
    ],
    [
      'says-how',
      [
        [true, 'passing'],
        [{ status: 'warn', detail: 'the disk is nearly full' }, 'warning'],
      ],
    ],
    [
      'says-nothing',
      [
        [undefined, 'passing'],
        [new Error('no database'), 'critical'],
        [undefined, 'passing'],
      ],
    ],
  ])('a function of ours: what it says is what Consul knows: %s', async ([name, answers]) => {
    const mesh = at(consul);
    let answer: unknown;
    const run = (): boolean => {
      if (answer instanceof Error) throw answer;
      return answer as boolean;
    };
    await using _ = await mesh.register({ name, checks: [{ interval: '1s', run }] });
    for (const [said, status] of answers) {
      answer = said;
      const [instance] = await becomes(mesh, name, [status]);
      expect([instance?.port, instance?.weight]).toEqual([0, status === 'critical' ? 0 : 1]);
      const detail = said instanceof Error ? said.message : (said as Health | undefined)?.detail;
      if (detail) expect(await (await fetch(`${consul}/v1/health/checks/${name}`)).text()).toContain(detail);
    }
  });

  test('ttl: kept alive by us for longer than the TTL, and critical soon after we stop', async () => {
    const mesh = at(consul);
    await using alive = await mesh.register({ name: 'alive', port: 1, checks: [{ ttl: '600ms' }] });
    // Nobody keeps this one alive: it measures how long the TTL is to Consul.
    const orphan = { Name: 'orphan', ID: 'orphan', Check: { CheckID: 'orphan', TTL: '600ms', Status: 'passing' } };
    await fetch(`${consul}/v1/agent/service/register`, { method: 'PUT', body: JSON.stringify(orphan) });
    const seen = new Set<string>();
    await eventually('the one that nobody keeps alive is critical', async () => {
      seen.add((await mesh.instances('alive'))[0]?.status ?? 'gone');
      return (await mesh.instances('orphan'))[0]?.status === 'critical';
    });
    expect([...seen, (await mesh.instances('alive'))[0]?.status]).toEqual(['passing', 'passing']);
    await alive.deregister();
    await fetch(`${consul}/v1/agent/service/deregister/orphan`, { method: 'PUT' });
  });
});

test('maintenance takes an instance out without ending it, until it is over', async () => {
  const mesh = at(consul);
  let refuse = false;
  await using between = await HttpService.start(async (request, response) => {
    if (refuse && request.url?.includes('/service/maintenance')) response.writeHead(500).end();
    else await passOn(request, response);
  });
  await using instance = await at(between.url).register({ name: 'kept', port: 8090, sidecar: true });
  await instance.maintenance('a new version is on its way');
  expect((await mesh.instances('kept')).map(({ status }) => status)).toEqual(['maintenance']);
  expect(await mesh.instances('kept', { passing: true })).toEqual([]);
  // Also when the agent has lost it in between, or its sidecar's registration alone, and may not be told anew.
  refuse = true;
  for (const id of [instance.id, instance.proxyId]) {
    const before = await modifyIndex(consul, 'kept-sidecar-proxy');
    await fetch(`${consul}/v1/agent/service/deregister/${id}`, { method: 'PUT' });
    await eventually('it is back', async () => (await modifyIndex(consul, 'kept-sidecar-proxy')) > before);
    await becomes(mesh, 'kept', ['maintenance']);
  }
  await expect(instance.endMaintenance()).rejects.toMatchObject({ code: 'consul-error' });
  expect(instance.health().status).toBe('warn');
  refuse = false;
  await instance.endMaintenance();
  await becomes(mesh, 'kept', ['passing']);
  expect(instance.health().status).toBe('pass');
});

test('whoever deregisters it: an instance that lives is registered again, once', async () => {
  const mesh = at(consul);
  await using instance = await mesh.register({ name: 'tough', port: 8091, sidecar: true });
  const { sidecarPort } = instance;
  const events: string[] = [];
  const hear = (message: unknown): void => {
    const { id, event } = message as InstanceEvent;
    if (id === instance.id) events.push(event);
  };
  subscribe('quorate.mesh.instance', hear);
  onTestFinished(() => void unsubscribe('quorate.mesh.instance', hear));
  const before = await modifyIndex(consul, 'tough');
  await fetch(`${consul}/v1/agent/service/deregister/${instance.id}`, { method: 'PUT' });
  await eventually('it is back', async () => (await modifyIndex(consul, 'tough')) > before);
  await becomes(mesh, 'tough', ['passing']);
  // The agent tells the catalog of one after the other.
  const proxies = await eventually('its sidecar too', async () => {
    const found = await mesh.instances('tough-sidecar-proxy');
    return found.length > 0 ? found : undefined;
  });
  expect(proxies.map(({ port }) => port)).toEqual([sidecarPort]);
  await instance.deregister();
  await instance.deregister();
  expect(await mesh.instances('tough')).toEqual([]);
  expect(events).toEqual(['registered-again', 'deregistered']);
});

test("a sidecar's registration that is lost alone comes back, and the service stays as well as it was", async () => {
  const mesh = at(consul);
  await using service = await HttpService.start((_, response) => response.end('ok'));
  const checks = [{ http: '/', interval: '1s' as const }];
  await using instance = await mesh.register({ name: 'lone', port: service.port, checks, sidecar: true });
  await becomes(mesh, 'lone', ['passing']);
  await using watch = mesh.watch('lone');
  const seen: string[] = [];
  void (async () => {
    for await (const instances of watch) seen.push(instances.map(({ status }) => status).join());
  })();
  await eventually('the watch has begun', () => seen.length > 0);
  const { sidecarPort } = instance;
  await fetch(`${consul}/v1/agent/service/deregister/${instance.proxyId}`, { method: 'PUT' });
  await eventually('it is back', async () => {
    const [proxy] = await mesh.instances('lone-sidecar-proxy');
    return proxy?.port === sidecarPort && proxy?.id === instance.proxyId;
  });
  expect(new Set(seen)).toEqual(new Set(['passing']));
  await instance.deregister();
  expect(await mesh.instances('lone-sidecar-proxy')).toEqual([]);
});

/** As the agent answers it, unless the answer is to be lost. */
async function passOn(request: IncomingMessage, response: ServerResponse, lost = false): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { method = 'GET', url } = request;
  const body = chunks.length > 0 ? { body: Buffer.concat(chunks) } : {};
  const answer = await fetch(`${consul}${url}`, { method, ...body });
  if (lost) return void request.socket.destroy();
  const type = answer.headers.get('content-type');
  response.writeHead(answer.status, type === null ? {} : { 'content-type': type }).end(await answer.text());
}

test('when the first heartbeat fails nothing stays registered', async () => {
  const mesh = at(consul);
  await using between = await HttpService.start(async (request, response) => {
    if (request.url?.includes('/check/pass/')) return response.writeHead(500).end('CheckID does not exist');
    await passOn(request, response);
  });
  await expect(at(between.url).register({ name: 'heartless', port: 1 })).rejects.toThrow('pass service:heartless');
  expect(await mesh.instances('heartless')).toEqual([]);
});

test('where it cannot be taken back the error says that it may stand', async () => {
  await using deaf = await HttpService.start((request, response) => {
    if (request.url?.includes('/service/register')) response.end();
    else request.socket.destroy();
  });
  await expect(at(deaf.url).register({ name: 'left', port: 1 })).rejects.toMatchObject({
    code: 'ambiguous',
    happened: 'unknown',
  });
});

test('a write whose answer is lost is ambiguous; maintenance that may hold is kept, one that was refused is not', async () => {
  const mesh = at(consul);
  let lose = '';
  let refuse = false;
  await using between = await HttpService.start(async (request, response) => {
    if (refuse && request.url?.includes('/service/maintenance')) response.writeHead(403).end();
    else await passOn(request, response, lose !== '' && request.url?.includes(lose));
  });
  const behind = at(between.url);
  const doubted = { name: 'doubted', id: 'doubted-1', port: 1 };
  const ambiguous = { code: 'ambiguous', happened: 'unknown', retryable: false };
  lose = '/service/register';
  await expect(behind.register(doubted)).rejects.toMatchObject(ambiguous);
  expect(await mesh.instances('doubted')).toEqual([]);
  lose = '';
  await using instance = await behind.register(doubted);
  refuse = true;
  expect(await codeOf(instance.maintenance('not allowed'))).toBe('permission-denied');
  expect(instance.health().status).toBe('pass');
  refuse = false;
  lose = '/service/maintenance';
  await expect(instance.maintenance('why')).rejects.toMatchObject(ambiguous);
  expect(instance.health()).toEqual({ status: 'warn', detail: 'in maintenance: why' });
  const before = await modifyIndex(consul, 'doubted');
  await fetch(`${consul}/v1/agent/service/deregister/${instance.id}`, { method: 'PUT' });
  await eventually('it is back', async () => (await modifyIndex(consul, 'doubted')) > before);
  await becomes(mesh, 'doubted', ['maintenance']);
  lose = '/service/deregister';
  await expect(instance.deregister()).rejects.toMatchObject(ambiguous);
  const session = await behind.session();
  lose = '/session/destroy';
  await expect(session.destroy()).rejects.toMatchObject(ambiguous);
  lose = '';
});

test('a write that was sent and not answered stays ambiguous when nobody is there for the second attempt', async () => {
  await using agent = await HttpService.start((request, response) => {
    if (!request.url?.includes('/service/deregister')) return response.end();
    void agent[Symbol.asyncDispose]();
    request.socket.resetAndDestroy();
  });
  const instance = await at(agent.url).register({ name: 'doubted', port: 1, checks: [] });
  await expect(instance.deregister()).rejects.toMatchObject({ code: 'ambiguous', happened: 'unknown' });
});

test('as a component: registered by start, deregistered by stop, and again', async () => {
  const mesh = at(consul);
  const instance = mesh.instance({ name: 'part', port: 1 });
  const component: Component = instance;
  expect([component.name, component.health?.().status]).toEqual(['part', 'fail']);
  await component.stop();
  for (let round = 0; round < 2; round += 1) {
    await component.start(new AbortController().signal);
    expect(component.health?.()).toEqual({ status: 'pass', detail: `${instance.id} is registered` });
    expect(await mesh.instances('part')).toHaveLength(1);
    await instance.maintenance('to try it');
    expect(component.health?.()).toEqual({ status: 'warn', detail: 'in maintenance: to try it' });
    // Left in maintenance by the first round, which is over when it is stopped.
    if (round > 0) await instance.endMaintenance();
    await Promise.all([component.stop(), component.stop()]);
    expect([component.health?.().status, await mesh.instances('part')]).toEqual(['fail', []]);
  }
  await expect(component.start(AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
});

test('a sidecar whose port the agent has chosen is given another one when that is taken meanwhile', async () => {
  const mesh = at(consul);
  const first = mesh.instance({ name: 'mover', id: 'mover-1', port: 1, sidecar: true });
  await first.start();
  const port = first.sidecarPort as number;
  await first.stop();
  await using second = await mesh.register({ name: 'mover', id: 'mover-2', port: 2, sidecar: { port } });
  await first.start();
  expect(second.sidecarPort).toBe(port);
  expect(first.sidecarPort).not.toBe(port);
  await first.stop();
});

test('a deregistration that failed can be tried again, and so can a start after it', async () => {
  const [registered, forgotten] = [[] as string[], [] as string[]];
  let refuse = true;
  await using agent = await HttpService.start((request, response) => {
    const { url = '' } = request;
    if (url.includes('/service/register')) registered.push(url);
    if (url.includes('/service/deregister')) {
      forgotten.push(url);
      response.writeHead(refuse ? 500 : 200);
    }
    response.end();
  });
  const instance = at(agent.url).instance({ name: 'stubborn', port: 1, checks: [] });
  await instance.start();
  await expect(instance.stop()).rejects.toMatchObject({ code: 'consul-error' });
  expect(instance.health()).toMatchObject({ status: 'fail', detail: `${instance.id} is no longer looked after` });
  await instance.start();
  expect(registered).toHaveLength(2);
  await expect(instance.stop()).rejects.toMatchObject({ code: 'consul-error' });
  refuse = false;
  await instance.stop();
  await instance.stop();
  expect(forgotten).toHaveLength(3);
});

async function modifyIndex(url: string, service: string): Promise<number> {
  const entries = (await (await fetch(`${url}/v1/health/service/${service}`)).json()) as {
    Service: { CreateIndex: number };
  }[];
  return entries[0]?.Service.CreateIndex ?? 0;
}

test('aborting a registration leaves nothing behind', async () => {
  const mesh = at(consul);
  const aborted = AbortSignal.abort(new Error('changed my mind'));
  await expect(mesh.register({ name: 'never', port: 1 }, { signal: aborted })).rejects.toThrow('changed my mind');
  // In the middle: the agent has the registration, and is asked for the sidecar's port.
  const giveUp = new AbortController();
  await using between = await HttpService.start(async (request, response) => {
    if (request.url?.includes('sidecar-proxy')) return giveUp.abort(new Error('too long'));
    await passOn(request, response);
  });
  const registering = at(between.url).register({ name: 'never', port: 1, sidecar: true }, { signal: giveUp.signal });
  await expect(registering).rejects.toThrow('too long');
  expect(await mesh.instances('never')).toEqual([]);
});

test('an id with slashes, spaces and other letters is registered, looked after and deregistered', async () => {
  const mesh = at(consul);
  const ids = ['a/../b', 'a/..', '/a', 'a//b', 'a b', 'a?b#c%2f', 'ü', '...'];
  const instances = await Promise.all(
    ids.map((id) => mesh.register({ name: 'odd', id, address: id === 'ü' ? '::1' : 'bücher.example', port: 1 })),
  );
  for (const instance of instances) {
    await instance.maintenance('to try it');
    await instance.endMaintenance();
  }
  expect((await mesh.instances('odd', { passing: true })).map(({ id }) => id)).toEqual(ids.toSorted());
  expect(new Set(instances.map((instance) => instance.health().status))).toEqual(new Set(['pass']));
  await Promise.all(instances.map((instance) => instance.deregister()));
  expect(await mesh.instances('odd')).toEqual([]);
});

test.for<[argument: string, registration: object]>([
  ['name', { name: 'a/b' }],
  ...['.', '..', 'x\ny', 'a\0b', 'a\u00a0b', 'a\u200db', '\ud800'].map((id): [string, object] => [
    'id',
    { name: 'a', id },
  ]),
  ...['bad host', 'a:80', 'http://a', 'a/b', 'a@b', '[::1]', 'fe80::1%lo', '1.2.3.4.5', '\ud800'].map(
    (address): [string, object] => ['address', { name: 'a', address }],
  ),
  ['tags[0]', { name: 'a', tags: ['\ud800'] }],
  ['meta.zone', { name: 'a', meta: { zone: '\ud800' } }],
  ['port', { name: 'a', port: 70_000 }],
  ['port', { name: 'a', sidecar: true }],
  ['registration.prot', { name: 'a', prot: 1 }],
  ['checks[0]', { name: 'a', checks: [{ ping: 'x' }] }],
  ['checks[0].interval', { name: 'a', checks: [{ tcp: '127.0.0.1:1', interval: '10ms' }] }],
  ['checks[0].http', { name: 'a', checks: [{ http: 'localhost/x' }] }],
  ['checks[0].http', { name: 'a', checks: [{ http: '/x' }] }],
  ['checks[0].ttl', { name: 'a', checks: [{ ttl: 'soon' }] }],
  ['deregisterCriticalServiceAfter', { name: 'a', deregisterCriticalServiceAfter: '10s' }],
  ['tags[1]', { name: 'a', tags: ['x', ''] }],
  ['meta.zone', { name: 'a', meta: { zone: 1 } }],
  ['weights.passing', { name: 'a', weights: { passing: 0 } }],
  ['sidecar.upstreams.rides', { name: 'a', port: 1, sidecar: { upstreams: { rides: 0 } } }],
  ['sidecar.upstreams.c', { name: 'a', port: 1, sidecar: { upstreams: { b: 9000, c: 9000 } } }],
])('a bad %s is refused before anything is touched: %j', async ([argument, registration]) => {
  const mesh = at('http://127.0.0.1:1');
  await expect(mesh.register(registration as never)).rejects.toThrow(`${argument}: expected`);
});

test('an agent that is not there is said, with its address', async () => {
  const mesh = at('http://127.0.0.1:1');
  expect(await codeOf(mesh.register({ name: 'query', port: 1 }))).toBe('agent-unreachable');
  await expect(mesh.instances('query')).rejects.toThrow('the Consul agent at http://127.0.0.1:1 refuses connections');
});
