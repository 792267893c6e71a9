import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { eventually } from '@quorate/testbed';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { defaults, Mesh, resolver, type SidecarEvent, type TracedRequest } from '../src/index.ts';
import { freePort } from './http-service.ts';
import { traffic } from './picture.ts';
import { ask, type Resident, settle, shared } from './town.ts';

// Two services that others ask, one in HTTP and one in TCP, and one that asks them: for one test after the other.
const stack = new AsyncDisposableStack();
let mesh: Mesh;
let query: Resident;
let gateway: Resident;
let figures: number;

beforeAll(async () => {
  const { consul, envoy } = shared();
  mesh = stack.use(new Mesh({ address: consul }));
  for (const name of ['seen', 'led', 'absent']) await mesh.config.put(defaults(name, { protocol: 'http' }));
  // Other names of it: by a redirect, in HTTP and in TCP, and where there is nobody, by a failover.
  await mesh.config.put(resolver('led', { redirect: { service: 'seen' } }));
  await mesh.config.put(resolver('led-plainly', { redirect: { service: 'plain' } }));
  await mesh.config.put(resolver('absent', { failover: { '*': { service: 'seen' } } }));
  figures = await freePort();
  const answer: RequestListener = (request, response) =>
    response.end(String(request.headers['x-forwarded-client-cert']));
  const to = ['seen', 'plain', 'led', 'led-plainly', 'absent', 'nobody'];
  const config = { envoy_prometheus_bind_addr: `127.0.0.1:${figures}` };
  [query, , gateway] = await Promise.all([
    settle(mesh, 'seen', { envoy, answer, until: stack }),
    settle(mesh, 'plain', { envoy, until: stack }),
    settle(mesh, 'seer', { envoy, to, config, until: stack }),
  ]);
});
afterAll(() => stack.disposeAsync());

test('no other user of the machine reaches what shows the token: the administration, and the bootstrap beside it', async () => {
  const socket = gateway.sidecar.adminSocket as string;
  const mode = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);
  expect((await stat(socket)).isSocket()).toBe(true);
  expect(await mode(socket)).toBe('600');
  expect(await mode(dirname(socket))).toBe('700');
  expect(await mode(join(dirname(socket), 'bootstrap.json'))).toBe('600');
});

test('what Envoy logs, at whatever level, has no token and no key in it', async () => {
  const { consul, envoy } = shared();
  const token = 'hunter2-of-the-mesh';
  const secretive = new Mesh({ address: consul, token });
  await using instance = await secretive.register({
    name: 'talker',
    port: 1,
    checks: [],
    sidecar: { port: await freePort() },
  });
  const lines: string[] = [];
  const hear = (message: unknown): void => {
    const { proxyId, line } = message as SidecarEvent;
    if (proxyId === instance.proxyId && line !== undefined) lines.push(line);
  };
  subscribe('quorate.mesh.sidecar', hear);
  onTestFinished(() => void unsubscribe('quorate.mesh.sidecar', hear));
  await using sidecar = await secretive.startSidecar(instance, {
    envoy,
    concurrency: 1,
    drain: '1ms',
    logLevel: 'trace',
  });
  await eventually('it logs what it sends', () => lines.some((line) => line.includes("'x-consul-token', '<token>'")));
  for (const secret of [token, 'PRIVATE KEY']) {
    expect([...lines, ...sidecar.log].filter((line) => line.includes(secret))).toEqual([]);
  }
});

test('two services talk through their sidecars: the server sees who asks, and nobody else gets in', async () => {
  const url = gateway.upstream.seen as string;
  for (const reached of ['seen', 'plain', 'led', 'led-plainly', 'absent']) {
    await gateway.sidecar.reaches(reached, { signal: AbortSignal.timeout(20_000) });
    expect((await ask(gateway.upstream[reached] as string)).status, reached).toBe(200);
  }
  const inVain = gateway.sidecar.reaches('nobody', { signal: AbortSignal.timeout(300) });
  await expect(inVain).rejects.toMatchObject({ name: 'TimeoutError' });
  const measured = await ask(`http://127.0.0.1:${figures}/metrics`);
  expect(measured.text).toContain('envoy_http_downstream_rq_total');
  expect((await ask(`http://127.0.0.1:${figures}/config_dump`)).status).toBe(404);

  const { status, text } = await ask(url);
  expect(status).toBe(200);
  expect(text).toMatch(/URI=spiffe:\/\/[0-9a-f-]+\.consul\/ns\/default\/dc\/dc1\/svc\/seer/);

  await expect(gateway.sidecar.reaches('rides')).rejects.toThrow('service: expected an upstream: seen, plain, led');
  const signal = AbortSignal.abort(new Error('enough'));
  await expect(gateway.sidecar.reaches('seen', { signal })).rejects.toThrow('enough');

  // Consul has the change, and the wait for the sidecars is aborted.
  const abort = new AbortController();
  const written = (request: unknown): void => {
    if ((request as TracedRequest).operation.includes('somebody')) setImmediate(() => abort.abort(new Error('enough')));
  };
  subscribe('tracing:quorate.mesh.request:asyncEnd', written);
  onTestFinished(() => void unsubscribe('tracing:quorate.mesh.request:asyncEnd', written));
  const allowing = mesh.intentions.allow('somebody', 'seen', { signal: abort.signal });
  await expect(allowing).rejects.toMatchObject({ code: 'ambiguous', message: expect.stringContaining('the sidecars') });

  // Plain HTTP at the sidecar's port, and TLS without a certificate of the mesh.
  const port = query.instance.sidecarPort as number;
  const { requests } = query.service;
  expect((await ask(`http://127.0.0.1:${port}/`)).status).toBe(0);
  expect(await plain(port)).toBe('');
  expect(await withoutCertificate(port)).toMatch(/alert|ECONNRESET|closed/i);
  expect(query.service.requests).toBe(requests);
});

/** What comes back on a connection without TLS. */
async function plain(port: number): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port });
  socket.on('error', () => undefined);
  socket.write('GET / HTTP/1.1\r\nhost: query\r\n\r\n');
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  await once(socket, 'close');
  return text;
}

async function withoutCertificate(port: number): Promise<string> {
  const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false });
  socket.on('secureConnect', () => socket.write('GET / HTTP/1.1\r\nhost: query\r\n\r\n'));
  return new Promise((resolve) => {
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(`${error.code} ${error.message}`));
    socket.on('data', (data) => resolve(`answered ${data}`));
    socket.on('close', () => resolve('closed'));
  });
}

// Neither touches what the other one does.
describe.concurrent('a deny intention cuts live traffic off within 3 s, and allow restores it', () => {
  test.for([
    ['http', 'seen'],
    ['tcp', 'plain'],
  ] as const)('%s', async ([, to]) => {
    const from = 'seer';
    const url = gateway.upstream[to] as string;
    const passes = async (): Promise<boolean> => (await ask(url)).status === 200;
    await traffic(shared().consul, [gateway, query], passes);
    let lastPassed = 0;
    const stop = new AbortController();
    const load = Array.from({ length: 4 }, async () => {
      while (!stop.signal.aborted) {
        // When it was sent: what was let through may come back, and be seen here, a moment later.
        const sent = performance.now();
        if (await passes()) lastPassed = sent;
      }
    });
    // It is waited for all sidecars of the process, whichever mesh started them.
    await using other = new Mesh({ address: shared().consul });
    const denied = performance.now();
    await other.intentions.deny(from, to);
    const resolved = performance.now();
    expect([await passes(), await passes(), await passes()]).toEqual([false, false, false]);
    stop.abort();
    await Promise.all(load);
    expect(lastPassed).toBeGreaterThan(denied);
    expect(lastPassed - denied).toBeLessThan(3_000);
    // What `deny` waits for: that not one more passes.
    expect(lastPassed).toBeLessThan(resolved);
    expect(await mesh.intentions.allows(from, to)).toBe(false);
    await mesh.intentions.allow(from, to);
    expect(await mesh.intentions.allows(from, to)).toBe(true);
    await eventually('restored', passes, { within: 3_000 });
  });
});

test('rules: by path and method', async () => {
  const url = gateway.upstream.seen as string;
  await traffic(shared().consul, [gateway, query], async () => (await ask(url)).status === 200);
  await mesh.intentions.rules('seer', 'seen', [
    { action: 'deny', path: { exact: '/rides/secret' } },
    { action: 'allow', path: { prefix: '/rides' }, methods: ['GET', 'HEAD'] },
    { action: 'allow', path: { regex: '/admin/[a-z]+' }, headers: { 'x-staff': true } },
    { action: 'deny', path: { prefix: '/' } },
  ]);
  const statuses = await Promise.all([
    ask(`${url}/rides/7`),
    ask(`${url}/rides/secret`),
    ask(`${url}/rides/7`, { method: 'POST', body: '' }),
    ask(`${url}/`),
    ask(`${url}/admin/users`),
    ask(`${url}/admin/users`, { headers: { 'x-staff': 'yes' } }),
  ]);
  expect(statuses.map(({ status }) => status)).toEqual([200, 403, 403, 403, 403, 200]);
  const rule = { source: 'seer', destination: 'seen', action: 'rules', permissions: 4, precedence: 9 };
  expect(await mesh.intentions.list()).toContainEqual(rule);
  await mesh.intentions.remove('seer', 'seen');
  expect(await mesh.intentions.list()).not.toContainEqual(
    expect.objectContaining({ source: 'seer', destination: 'seen' }),
  );
});
