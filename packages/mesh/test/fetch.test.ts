import { eventually } from '@quorate/testbed';
import { describe, expect, onTestFinished, test } from 'vitest';
import { AgentUnreachableError } from '../src/errors/agent-unreachable-error.ts';
import { Mesh, type MeshRequestInit } from '../src/index.ts';
import { codeOf, freePort, HttpService } from './http-service.ts';
import { shared } from './town.ts';

const { consul } = shared();

/** So many instances that answer with their number, from 1. */
async function instances(mesh: Mesh, name: string, count: number): Promise<HttpService[]> {
  const services: HttpService[] = [];
  const stack = new AsyncDisposableStack();
  onTestFinished(() => stack.disposeAsync());
  for (let number = 1; number <= count; number += 1) {
    const service = await HttpService.start((_, response) => response.end(String(number)));
    services.push(stack.use(service));
    stack.use(await mesh.register({ name, port: service.port, checks: [] }));
  }
  return services;
}

test('finds a service by its name, with path, query, method, headers and body; and shares the load', async () => {
  await using mesh = new Mesh({ address: consul });
  await using echo = await HttpService.start(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    response.end(JSON.stringify([request.method, request.url, request.headers['x-trip'], body]));
  });
  await using _ = await mesh.register({ name: 'echo', port: echo.port, checks: [] });
  const { fetch } = mesh;
  const answer = await fetch('http://echo/rides?day=3', { method: 'POST', headers: { 'x-trip': '7' }, body: 'hello' });
  expect(await answer.json()).toEqual(['POST', '/rides?day=3', '7', 'hello']);
  const request = new Request('http://echo/again', { method: 'PUT', body: 'there' });
  expect(await (await fetch(request)).json()).toEqual(['PUT', '/again', null, 'there']);

  const services = await instances(mesh, 'shared', 3);
  await Promise.all(Array.from({ length: 90 }, async () => (await fetch('http://shared/')).text()));
  for (const { requests } of services) expect(requests).toBeGreaterThan(10);
});

test('what was refused by everybody before it was sent did not happen, also a POST', async () => {
  await using mesh = new Mesh({ address: consul });
  await using _ = await mesh.register({ name: 'shut', port: await freePort(), checks: [] });
  await expect(mesh.fetch('http://shut/', { method: 'POST', body: 'x' })).rejects.toMatchObject({
    code: 'service-unreachable',
    retryable: true,
    happened: 'no',
  });
});

test('an instance that is gone: another one answers, also a POST that was not sent; then it is left out', async () => {
  await using mesh = new Mesh({ address: consul });
  const [gone, alive] = await instances(mesh, 'half', 2);
  await gone?.[Symbol.asyncDispose]();
  for (let request = 0; request < 40; request += 1) {
    const answer = await mesh.fetch('http://half/', { method: 'POST', body: 'x' });
    expect(await answer.text()).toBe('2');
  }
  expect(alive?.requests).toBe(40);
});

describe('what may not be done twice is not', () => {
  test('a POST that was sent and not answered is ambiguous; a GET goes to another instance', async () => {
    await using mesh = new Mesh({ address: consul });
    await using rude = await HttpService.start((request) => request.socket.destroy());
    await using _ = await mesh.register({ name: 'rude', port: rude.port, checks: [] });
    expect(await codeOf(mesh.fetch('http://rude/', { method: 'POST', body: 'x' }))).toBe('ambiguous');
    expect(rude.requests).toBe(1);
    expect(await codeOf(mesh.fetch('http://rude/'))).toBe('service-unreachable');
    expect(rude.requests).toBe(4);
    // HTTP lets a PUT be asked again. When nobody answers, it may have been done all the same.
    await expect(mesh.fetch('http://rude/', { method: 'PUT', body: 'x', attempts: 2 })).rejects.toMatchObject({
      code: 'ambiguous',
      retryable: false,
    });
    expect(rude.requests).toBe(6);
  });

  test('what was done and redirected to where nobody listens was sent: a POST is ambiguous, and done once', async () => {
    await using mesh = new Mesh({ address: consul });
    const dead = `http://127.0.0.1:${await freePort()}/rides/1`;
    await using moved = await HttpService.start((request, response) => {
      response.writeHead(Number(request.url?.slice(1)), { location: dead }).end();
    });
    // Two, so that there is another one to ask.
    await using _1 = await mesh.register({ name: 'moved', id: 'moved-1', port: moved.port, checks: [] });
    await using _2 = await mesh.register({ name: 'moved', id: 'moved-2', port: moved.port, checks: [] });
    const unknown = { code: 'ambiguous', happened: 'unknown', retryable: false };
    await expect(mesh.fetch('http://moved/303', { method: 'POST', body: 'x' })).rejects.toMatchObject(unknown);
    expect(moved.requests).toBe(1);
    await expect(mesh.fetch('http://moved/307', { method: 'POST', body: 'x' })).rejects.toMatchObject(unknown);
    expect(moved.requests).toBe(2);
    const putting = mesh.fetch('http://moved/307', { method: 'PUT', body: 'x', attempts: 2 });
    await expect(putting).rejects.toMatchObject(unknown);
    expect(moved.requests).toBe(4);
    // Told not to follow, it answers.
    const answer = await mesh.fetch('http://moved/303', { method: 'POST', body: 'x', redirect: 'manual' });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, dead]);
    const error = mesh.fetch('http://moved/303', { method: 'POST', body: 'x', redirect: 'error' });
    await expect(error).rejects.toMatchObject(unknown);
    expect(moved.requests).toBe(6);
  });

  test('a POST that was sent and then aborted does not say that it did not happen, whatever the reason says', async () => {
    await using mesh = new Mesh({ address: consul });
    await using silent = await HttpService.start(() => undefined);
    await using _ = await mesh.register({ name: 'silent', port: silent.port, checks: [] });
    // Its cause is one of a connection that was not made: another one.
    const cause = Object.assign(new Error('refused'), { code: 'ECONNREFUSED', syscall: 'connect' });
    const reason = new AgentUnreachableError('x', 'http://a', 'refuses connections', { happened: 'no', cause });
    const abort = new AbortController();
    const posting = mesh.fetch('http://silent/', { method: 'POST', body: 'x', signal: abort.signal });
    await eventually('it is there', () => silent.requests === 1);
    abort.abort(reason);
    await expect(posting).rejects.toMatchObject({ code: reason.code, happened: 'unknown', retryable: false, cause });
    // Nothing was sent.
    await expect(mesh.fetch('http://silent/', { method: 'POST', signal: abort.signal })).rejects.toBe(reason);
  });

  test('a body that can be read once is sent once', async () => {
    await using mesh = new Mesh({ address: consul });
    await using full = await HttpService.start((request, response) => {
      request.resume();
      request.on('end', () => response.writeHead(503).end());
    });
    await using _ = await mesh.register({ name: 'full', port: full.port, checks: [] });
    const body = new Blob(['x']).stream();
    const init = { method: 'PUT', body, duplex: 'half' } as RequestInit;
    expect((await mesh.fetch('http://full/', init)).status).toBe(503);
    expect(full.requests).toBe(1);
  });
});

test('redirects are followed as `fetch` does: method, body and headers; also to another origin', async () => {
  await using mesh = new Mesh({ address: consul });
  await using other = await HttpService.start(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { authorization, 'content-type': type, 'x-trip': trip } = request.headers;
    response.end(JSON.stringify([request.method, request.url, body, type, authorization, trip]));
  });
  await using first = await HttpService.start((request, response) => {
    const [, status, where] = request.url?.split('/') ?? [];
    request.resume();
    if (status === 'end') return response.end(JSON.stringify([request.method, request.headers.authorization]));
    const location =
      { here: '/end', twice: '/307/there', round: '/302/round', data: 'data:,x' }[where ?? ''] ?? `${other.url}/there`;
    response.writeHead(Number(status), where === 'nowhere' ? {} : { location }).end('moved');
  });
  await using _ = await mesh.register({ name: 'first', port: first.port, checks: [] });
  const ask = async (path: string, method: string) => {
    const headers = { 'content-type': 'text/a', authorization: 'me', 'x-trip': '7' };
    const response = await mesh.fetch(`http://first/${path}`, {
      method,
      headers,
      ...(method !== 'GET' && { body: 'x' }),
    });
    return [response.redirected, JSON.parse(await response.text())];
  };
  const asGet = [true, ['GET', '/there', '', null, null, '7']];
  expect(await ask('303/there', 'POST')).toEqual(asGet);
  expect(await ask('303/there', 'PUT')).toEqual(asGet);
  expect(await ask('302/there', 'POST')).toEqual(asGet);
  expect(await ask('301/there', 'PUT')).toEqual([true, ['PUT', '/there', 'x', 'text/a', null, '7']]);
  expect(await ask('308/there', 'POST')).toEqual([true, ['POST', '/there', 'x', 'text/a', null, '7']]);
  expect(await ask('307/twice', 'PUT')).toEqual([true, ['PUT', '/there', 'x', 'text/a', null, '7']]);
  expect(await ask('302/here', 'GET')).toEqual([true, ['GET', 'me']]);
  const { requests } = first;
  expect(await codeOf(mesh.fetch('http://first/302/round', { attempts: 1 }))).toBe('service-unreachable');
  expect(first.requests - requests).toBe(21);
  expect((await mesh.fetch('http://first/302/nowhere')).status).toBe(302);
  expect(await codeOf(mesh.fetch('http://first/302/data', { attempts: 1 }))).toBe('service-unreachable');
});

test('retries stay within their budget: with everything failing, a fifth more and a few', async () => {
  await using mesh = new Mesh({ address: consul });
  await using sick = await HttpService.start((_, response) => response.writeHead(503).end());
  await using _ = await mesh.register({ name: 'sick', port: sick.port, checks: [] });
  for (let request = 0; request < 100; request += 1) {
    expect((await mesh.fetch('http://sick/')).status).toBe(503);
  }
  expect(sick.requests).toBeGreaterThan(100);
  expect(sick.requests).toBeLessThanOrEqual(100 + 20 + 10);
});

test('the deadline is for all attempts, and told as such; the reason of a signal is passed on', async () => {
  await using mesh = new Mesh({ address: consul });
  await using mute = await HttpService.start(() => undefined);
  await using _ = await mesh.register({ name: 'mute', port: mute.port, checks: [] });
  const begin = performance.now();
  expect(await codeOf(mesh.fetch('http://mute/', { deadline: '300ms' }))).toBe('deadline-exceeded');
  expect(performance.now() - begin).toBeLessThan(2_000);
  const reason = new Error('not needed any more');
  const abort = new AbortController();
  const waiting = mesh.fetch('http://mute/', { signal: abort.signal });
  await eventually('it is on its way', () => mute.requests >= 2);
  abort.abort(reason);
  await expect(waiting).rejects.toBe(reason);
});

describe('an instance that hangs, beside one that answers', () => {
  /** How many of 60 requests it got. */
  const late = async (url: string, name: string, init: () => MeshRequestInit): Promise<number> => {
    await using mesh = new Mesh({ address: url });
    await using hung = await HttpService.start(() => undefined);
    await using well = await HttpService.start((_, response) => response.end('well'));
    await using _hung = await mesh.register({ name, port: hung.port, checks: [] });
    await using _well = await mesh.register({ name, port: well.port, checks: [] });
    for (let request = 0; request < 60; request += 1) {
      await mesh.fetch(`http://${name}/`, { ...init(), attempts: 1 }).catch(() => undefined);
    }
    return hung.requests;
  };

  test('whose callers give up: one of them in ten seconds is late, not every second one', async () => {
    expect(await late(consul, 'given-up', () => ({ signal: AbortSignal.timeout(100) }))).toBeLessThanOrEqual(2);
  });

  test('until the deadline of its requests: it is left out after five', async () => {
    const count = await late(consul, 'overdue', () => ({ deadline: '100ms' }));
    expect(count).toBeGreaterThanOrEqual(5);
    expect(count).toBeLessThanOrEqual(7);
  });
});

test('instances that come and go under load: no request fails', async () => {
  await using mesh = new Mesh({ address: consul });
  const stack = new AsyncDisposableStack();
  onTestFinished(() => stack.disposeAsync());
  const start = async () => {
    const service = stack.use(await HttpService.start((_, response) => response.end('ok')));
    return { service, instance: stack.use(await mesh.register({ name: 'busy', port: service.port, checks: [] })) };
  };
  const running = [await start(), await start()];
  const stop = new AbortController();
  let answered = 0;
  const load = Array.from({ length: 4 }, async () => {
    while (!stop.signal.aborted) {
      expect((await mesh.fetch('http://busy/')).status).toBe(200);
      answered += 1;
    }
  });
  for (let round = 0; round < 3; round += 1) {
    const oldest = running.shift();
    running.push(await start());
    // Without a goodbye: first the process is gone, then Consul hears of it.
    await oldest?.service[Symbol.asyncDispose]();
    await oldest?.instance.deregister();
    const until = answered + 50;
    await eventually('more was answered', () => answered > until);
  }
  stop.abort();
  await Promise.all(load);
});

test('nobody there, no such service, no agent: said plainly', async () => {
  await using mesh = new Mesh({ address: consul });
  await expect(mesh.fetch('http://nobody/')).rejects.toThrow('nobody: it has no instances');
  await expect(mesh.fetch('https://query/')).rejects.toThrow('url: expected a URL that begins with "http://"');
  await expect(mesh.fetch('http://10.0.0.1/')).rejects.toThrow('url.hostname: expected');
  await using lost = new Mesh({ address: `http://127.0.0.1:${await freePort()}` });
  const begin = performance.now();
  expect(await codeOf(lost.fetch('http://query/', { deadline: '500ms' }))).toBe('deadline-exceeded');
  expect(performance.now() - begin).toBeLessThan(3_000);
});
