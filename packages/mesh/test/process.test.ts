import { spawn } from 'node:child_process';
import { subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { inspect, isDeepStrictEqual } from 'node:util';
import type { Component } from '@quorate/core';
import { eventually } from '@quorate/testbed';
import { expect, onTestFinished, test } from 'vitest';
import { Mesh, type TracedRequest } from '../src/index.ts';
import { codeOf, freePort, HttpService } from './http-service.ts';
import { shared } from './town.ts';

const { consul, envoy } = shared();

async function printed(
  text: string,
  args: readonly string[],
  told: (line: string) => void = () => undefined,
): Promise<{ status: number | null; lines: string[] }> {
  const source = `import { Mesh } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)};\n${text}`;
  const child = spawn(
    process.execPath,
    ['--conditions=@quorate/source', '--input-type=module', '-e', source, ...args],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    told(line);
  });
  const [status] = (await once(child, 'exit', { signal: AbortSignal.timeout(30_000) })) as [number | null];
  return { status, lines };
}

test('nothing keeps the process alive: neither instances nor watches, balancers, sessions or a sidecar', async () => {
  let ended = 0;
  const { status, lines } = await printed(
    `
    const [, address, envoy, port, nowhere] = process.argv;
    const mesh = new Mesh({ address });
    const checks = [{ ttl: '5s' }, { run: () => true }];
    const instance = await mesh.register({ name: 'left', id: 'left-1', port: 1, checks, sidecar: { port: Number(port) } });
    await mesh.startSidecar(instance, { envoy, concurrency: 1 });
    const watch = mesh.watch('left');
    await watch.next();
    await mesh.session();
    using endpoint = await mesh.balancer('left-sidecar-proxy').pick().catch(() => ({ [Symbol.dispose]() {} }));
    await mesh.kv.watch('nothing').next();
    // An agent that is not there: nobody waits for it any more.
    await new Mesh({ address: nowhere }).fetch('http://left/', { deadline: '100ms' }).catch(() => undefined);
    console.log('the end');
    `,
    [consul, envoy, String(await freePort()), `http://127.0.0.1:${await freePort()}`],
    () => {
      ended = performance.now();
    },
  );
  expect(performance.now() - ended).toBeLessThan(10_000);
  expect({ status, lines }).toEqual({ status: 0, lines: ['the end'] });
  await fetch(`${consul}/v1/agent/service/deregister/left-1`, { method: 'PUT' });
});

test('as a component: started when the agent answers, also one that comes later; well while it does', async () => {
  const mesh = new Mesh({ address: consul });
  const component: Component = mesh;
  await component.start(new AbortController().signal);
  expect([component.name, component.health?.()]).toEqual(['mesh', { status: 'pass' }]);
  // An agent that is not there yet.
  const port = await freePort();
  const late = new Mesh({ name: 'late', address: `http://127.0.0.1:${port}` });
  await expect(late.start(AbortSignal.timeout(300))).rejects.toMatchObject({ name: 'TimeoutError' });
  expect(late.health()).toMatchObject({ status: 'warn', detail: expect.stringContaining('refuses connections') });
  // Stopped while it still waits, it does not go on to what comes after the start.
  const inVain = late.start(AbortSignal.timeout(2_000));
  await late.stop();
  await expect(inVain).rejects.toMatchObject({ code: 'stopped' });
  expect(late.health().status).toBe('fail');
  const starting = late.start();
  let leader = '""';
  await using agent = await HttpService.start(
    (_, response) => response.setHeader('content-type', 'application/json').end(leader),
    { port },
  );
  await eventually('it asks', () => agent.requests > 1);
  leader = '"127.0.0.1:8300"';
  await starting;
  expect(late.health()).toEqual({ status: 'pass' });
  await Promise.all([late.stop(), late.stop()]);
  expect(late.health()).toEqual({ status: 'fail', detail: 'stopped' });
  // Who does not speak TLS to it is told so, and does not wait.
  const wrong = new Mesh({ address: consul.replace('http', 'https') });
  await expect(wrong.start()).rejects.toMatchObject({ code: 'agent-certificate' });
});

test('somebody who waits for a change keeps it alive until it is there', async () => {
  const mesh = new Mesh({ address: consul });
  const ready = Promise.withResolvers<string>();
  const waiting = printed(
    `
    const watch = new Mesh({ address: process.argv[1] }).watch('waited');
    console.log((await watch.next()).value.length);
    console.log((await watch.next()).value.length);
    `,
    [consul],
    ready.resolve,
  );
  await ready.promise;
  await using _ = await mesh.register({ name: 'waited', port: 1, checks: [] });
  expect(await waiting).toEqual({ status: 0, lines: ['0', '1'] });
});

test('diagnostics tell of requests, instances and watches, and of no secret', async () => {
  const told: [name: string | symbol, message: unknown][] = [];
  const hear = (message: unknown, name: string | symbol): void => void told.push([name, message]);
  const requests = tracingChannel('quorate.mesh.request');
  const traced = { start: (m: unknown) => hear(m, 'start'), error: (m: unknown) => hear(m, 'error') };
  requests.subscribe(traced as never);
  for (const name of ['instance', 'watch']) subscribe(`quorate.mesh.${name}`, hear);
  const mesh = new Mesh({ address: consul, token: 'hunter2' });
  // Without ACLs Consul does not look at tokens.
  {
    await using instance = await mesh.register({ name: 'told', id: 'told-1', port: 1 });
    await using watch = mesh.watch('told');
    await watch.next();
    const changed = ['quorate.mesh.watch', { watched: 'service told', event: 'changed' }];
    expect(told.filter((entry) => isDeepStrictEqual(entry, changed))).toHaveLength(1);
    await mesh.kv.set('told', 'hunter2');
    await mesh.kv.get('told');
    await instance.maintenance('a reason');
    await fetch(`${consul}/v1/agent/service/deregister/${instance.id}`, { method: 'PUT' });
    await eventually('told of the second registration', () => inspect(told, { depth: 9 }).includes('registered-again'));
  }
  expect(await codeOf(mesh.config.put({ kind: 'service-defaults', name: 'x', settings: { Protocol: 7 } }))).toBe(
    'consul-error',
  );
  requests.unsubscribe(traced as never);
  for (const name of ['instance', 'watch']) unsubscribe(`quorate.mesh.${name}`, hear);
  const events = told.flatMap((entry) => {
    const [name, { event }] = entry as [string, { event?: string }];
    return name === 'quorate.mesh.instance' ? [event] : [];
  });
  expect(events).toEqual(['registered', 'maintenance', 'registered-again', 'deregistered']);
  const traces = (kind: string, operation: string): number =>
    told.filter(([name, message]) => name === kind && (message as TracedRequest).operation === operation).length;
  // Registered, and again.
  expect(traces('start', 'register told-1')).toBe(2);
  expect(traces('error', 'register told-1')).toBe(0);
  expect([traces('start', 'put service-defaults x'), traces('error', 'put service-defaults x')]).toEqual([1, 1]);
  // What the traced calls return is not told either: it holds values.
  expect(told.filter((entry) => (entry as [string, { result?: unknown }])[1].result !== undefined)).toEqual([]);
  expect(inspect(told, { depth: 99, maxStringLength: null, maxArrayLength: null })).not.toContain('hunter2');
});
