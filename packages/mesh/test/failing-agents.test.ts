import type { ServerResponse } from 'node:http';
import { eventually } from '@quorate/testbed';
import { expect, test } from 'vitest';
import { Mesh } from '../src/index.ts';
import { HttpService } from './http-service.ts';

// What becomes of an instance whose agent fails in between: these agents are made up. What they know of it is nothing.
const known = (response: ServerResponse): unknown => response.setHeader('content-type', 'application/json').end('{}');

test('one heartbeat without an answer leaves time for another one before the TTL ends', async () => {
  const passed: number[] = [];
  let asked = 0;
  await using agent = await HttpService.start((request, response) => {
    if (request.url?.includes('/check/pass/')) {
      asked += 1;
      if (asked === 2) return;
      passed.push(performance.now());
    }
    known(response);
  });
  await using _ = await new Mesh({ address: agent.url }).register({ name: 'a', port: 1, checks: [{ ttl: '1500ms' }] });
  await eventually('two heartbeats are answered', () => passed.length > 1);
  expect((passed[1] as number) - (passed[0] as number)).toBeLessThan(1_500);
});

test('while heartbeats fail it is not said to be well, however often the agent says that it is registered', async () => {
  let refuse = false;
  let looks = 0;
  await using agent = await HttpService.start((request, response) => {
    if (request.url?.includes('/agent/service/a-1')) looks += 1;
    if (refuse && request.url?.includes('/check/pass/')) response.writeHead(500).end();
    else known(response);
  });
  await using instance = await new Mesh({ address: agent.url }).register({
    name: 'a',
    id: 'a-1',
    checks: [{ ttl: '3s' }],
  });
  refuse = true;
  await eventually('it warns', () => instance.health().status === 'warn');
  const before = looks;
  await eventually('it is looked after', () => looks > before + 2);
  expect(instance.health()).toMatchObject({ status: 'warn', detail: expect.stringContaining('pass service:a-1:1') });
  refuse = false;
  await eventually('it is well', () => instance.health().status === 'pass');
});

test('what the agent has lost is not said to be registered, until all of it is there again', async () => {
  let lost = false;
  let refuse = false;
  const held = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  let registered = 0;
  await using agent = await HttpService.start(async (request, response) => {
    const { url = '' } = request;
    if (url.includes('/service/register')) registered += 1;
    if (url.includes('/service/register') && registered === 2) {
      asked.resolve();
      await held.promise;
      lost = false;
    }
    response.statusCode = url.includes('/agent/service/a-1') && lost ? 404 : 200;
    if (url.includes('/check/pass/') && refuse) response.statusCode = 500;
    known(response);
  });
  await using instance = await new Mesh({ address: agent.url }).register({
    name: 'a',
    id: 'a-1',
    checks: [{ ttl: '1h' }],
  });
  expect(instance.health().status).toBe('pass');
  lost = true;
  refuse = true;
  await asked.promise;
  expect(instance.health()).toEqual({ status: 'fail', detail: 'a-1 is not registered now' });
  held.resolve();
  // It is there, and critical: the first heartbeat has failed, and the next one is far away.
  await eventually('it is tried again', () => registered > 2);
  expect(instance.health()).toMatchObject({ status: 'warn', detail: expect.stringContaining('pass service:a-1:1') });
  refuse = false;
  await eventually('all of it is there', () => instance.health().status === 'pass');
});

test('a service and its sidecar that are lost together are registered again once, although one is noticed later', async () => {
  let registered = 0;
  const held = new Map<string, ServerResponse>();
  await using agent = await HttpService.start((request, response) => {
    const { url = '' } = request;
    if (url.includes('/service/register')) registered += 1;
    const id = /\/agent\/service\/(a-1[^?]*)/.exec(url)?.[1];
    if (id === undefined) known(response);
    else held.set(id, response);
  });
  const lose = (id: string): void => {
    held.get(id)?.writeHead(404).end();
    held.delete(id);
  };
  const registration = { name: 'a', id: 'a-1', port: 1, checks: [], sidecar: { port: 2 } };
  await using _ = await new Mesh({ address: agent.url }).register(registration);
  await eventually('both are looked after', () => held.size === 2);
  for (const id of ['a-1', 'a-1-sidecar-proxy']) {
    lose(id);
    await eventually('it is looked after again', () => held.has(id));
    expect(registered).toBe(2);
  }
});

test('an agent is not told to forget what it was never told', async () => {
  await using agent = await HttpService.start((_, response) => known(response));
  const abort = new AbortController();
  const registering = new Mesh({ address: agent.url }).register({ name: 'a', port: 1 }, { signal: abort.signal });
  // It may be registered there by another process, which goes on.
  abort.abort(new Error('enough'));
  await expect(registering).rejects.toThrow('enough');
  expect(agent.requests).toBe(0);
});

function withoutText(): Error {
  return Object.defineProperty(new Error(), 'message', {
    get: () => {
      throw new Error('unreadable');
    },
  });
}

test.each<[what: string, value: unknown, status: number, text: string]>([
  ['a text', 'PONG', 503, '(string)'],
  ['nothing at all', null, 503, '(null)'],
  ['a number', 0, 503, '(number)'],
  ['a status that is none', { status: 'toString' }, 503, '(object)'],
  ['a detail that is no text', { status: 'warn', detail: 7 }, 503, '(object)'],
  ['an error without a text', Object.assign(new Error('x'), { message: 7 }), 503, '7'],
  ['an error whose text throws', withoutText(), 503, 'it threw'],
  ['a warning', { status: 'warn', detail: 'nearly full' }, 429, 'nearly full'],
  ['no value', undefined, 200, 'pass'],
])('a function check that gives %s: Consul is told what that is', async (_, value, status, text) => {
  let url = '';
  await using agent = await HttpService.start(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    if (request.url?.includes('/service/register'))
      url = (JSON.parse(body) as { Checks: { HTTP: string }[] }).Checks[0]?.HTTP ?? '';
    known(response);
  });
  const run = (): never => {
    if (value instanceof Error) throw value;
    return value as never;
  };
  await using _instance = await new Mesh({ address: agent.url }).register({ name: 'a', checks: [{ run }] });
  const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) });
  expect([answer.status, await answer.text()]).toEqual([status, expect.stringContaining(text)]);
});
