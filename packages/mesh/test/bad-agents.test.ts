import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { inspect } from 'node:util';
import { QuorateError } from '@quorate/core';
import { eventually } from '@quorate/testbed';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Mesh } from '../src/index.ts';
import { codeOf, HttpService } from './http-service.ts';

// What a real agent does only once in a while is made here to happen always: these agents are made up.

function entries(count: number): unknown[] {
  return Array.from({ length: count }, (_, number) => ({
    Node: { Node: 'n', Address: '127.0.0.1', Datacenter: 'dc1' },
    Service: { ID: `many-${number}`, Service: 'many', Address: '', Port: number, Tags: [], Meta: {} },
    Checks: [{ CheckID: 'serfHealth', Status: 'passing' }],
  }));
}

function answers(index: (turn: number) => number | string | undefined, body: unknown = []): RequestListener {
  let turn = 0;
  return (_, response) => {
    const now = index(turn++);
    if (now !== undefined) response.setHeader('x-consul-index', now);
    response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
  };
}

/** How many requests a watch may make in so many milliseconds: ten a second, and five at once after a rest. */
function allowed(elapsed: number): number {
  return 5 + Math.ceil(elapsed / 100);
}

describe.concurrent('no hot loop: ten requests a second at most', () => {
  test.each<[what: string, index: (turn: number) => number | string | undefined]>([
    ['an index that goes backwards each time', (turn) => 1_000 - turn],
    ['an index that jumps to and fro', (turn) => (turn % 2 === 0 ? 5 : 900)],
    ['an index that grows without any news', (turn) => turn + 1],
    ['an index of 0', () => 0],
    ['no index', () => undefined],
    ['an index that is no number', () => 'many'],
    ['an agent that does not wait', () => 7],
  ])('%s', async (_, index) => {
    await using agent = await HttpService.start(answers(index));
    const mesh = new Mesh({ address: agent.url });
    await using watch = mesh.watch('many');
    await watch.next();
    const begin = performance.now();
    const { requests } = agent;
    await eventually('a second went by', () => performance.now() - begin > 1_000);
    expect(agent.requests - requests).toBeLessThanOrEqual(allowed(performance.now() - begin));
    // And it does go on asking.
    expect(agent.requests - requests).toBeGreaterThanOrEqual(3);
  });

  test.each<[what: string, listener: RequestListener]>([
    ['answers 500', (_, response) => response.writeHead(500).end('No cluster leader')],
    ['answers 429', (_, response) => response.writeHead(429).end('rate limit')],
    ['ends every connection', (request) => request.socket.destroy()],
  ])('an agent that %s', async (_, listener) => {
    await using agent = await HttpService.start(listener);
    await using watch = new Mesh({ address: agent.url }).watch('many', { patience: '1h' });
    await eventually('it is told', () => watch.failure);
    const begin = performance.now();
    await eventually('a second went by', () => performance.now() - begin > 1_000);
    // A broken connection is tried a second time at once.
    expect(agent.requests).toBeLessThanOrEqual(allowed(performance.now() - begin));
    await eventually('it is asked again', () => agent.requests >= 4);
  });
});

test('an index that goes backwards is followed from the beginning, and its answer counts', async () => {
  const asked: string[] = [];
  await using agent = await HttpService.start((request, response) => {
    asked.push(new URL(request.url ?? '', 'http://agent').searchParams.get('index') ?? 'none');
    const index = [100, 40, 41][asked.length - 1];
    if (index === undefined) return;
    response.setHeader('x-consul-index', index).setHeader('content-type', 'application/json');
    response.end(JSON.stringify(entries(asked.length)));
  });
  await using watch = new Mesh({ address: agent.url }).watch('many');
  const sizes: number[] = [];
  for await (const instances of watch) if (sizes.push(instances.length) === 3) break;
  expect(sizes).toEqual([1, 2, 3]);
  expect(asked.slice(0, 3)).toEqual(['none', '100', 'none']);
});

test('10,000 instances arrive whole', async () => {
  await using agent = await HttpService.start(answers((turn) => turn + 1, entries(10_000)));
  await using watch = new Mesh({ address: agent.url }).watch('many');
  expect((await watch.next()).value).toHaveLength(10_000);
});

test('an answer without an end is cut off at the limit', async () => {
  await using agent = await HttpService.start((_, response) => {
    response.setHeader('content-type', 'application/json');
    const more = (): void => {
      while (!response.destroyed && response.write('['.repeat(16_384)));
    };
    response.on('drain', more);
    more();
  });
  const mesh = new Mesh({ address: agent.url, maxReplySize: 100_000 });
  expect(await codeOf(mesh.instances('many'))).toBe('reply-too-large');
});

describe('an agent that answers slowly or not at all', () => {
  test('is given up after the time-out, which says so', async () => {
    await using agent = await HttpService.start(() => undefined);
    const mesh = new Mesh({ address: agent.url, timeout: '300ms' });
    await expect(mesh.instances('many')).rejects.toThrow('did not answer within 300 ms');
    expect(await codeOf(mesh.watch('many', { patience: '500ms' }).next())).toBe('agent-unreachable');
  });

  test('in the middle of an answer as well', async () => {
    await using agent = await HttpService.start((_, response) => response.write('[{"Node'));
    const mesh = new Mesh({ address: agent.url, timeout: '300ms' });
    expect(await codeOf(mesh.instances('many'))).toBe('agent-unreachable');
  });

  test('a connection that breaks in the middle of an answer is noticed at once', async () => {
    await using agent = await HttpService.start((_, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('[{"Node', () => response.destroy());
    });
    const mesh = new Mesh({ address: agent.url, timeout: '1h' });
    expect(await codeOf(mesh.instances('many'))).toBe('agent-unreachable');
  });
});

test('what is given up is given up at the agent as well', async () => {
  let open = 0;
  await using agent = await HttpService.start((request) => {
    open += 1;
    request.on('close', () => {
      open -= 1;
    });
  });
  const mesh = new Mesh({ address: agent.url });
  const abort = new AbortController();
  const asked = codeOf(mesh.instances('many', { signal: abort.signal }));
  const watch = mesh.watch('many', { signal: abort.signal });
  const waiting = watch.next().catch((error) => error);
  await eventually('both ask', () => open === 2);
  abort.abort(new Error('enough'));
  await Promise.all([asked, waiting]);
  await eventually('nobody asks any more', () => open === 0, { within: 2_000 });
});

test('a mesh that stops lets its requests finish, and leaves no connection', async () => {
  const connections = new Set<Socket>();
  const held: ServerResponse[] = [];
  await using agent = await HttpService.start((request, response) => {
    connections.add(request.socket.on('close', () => connections.delete(request.socket)));
    response.setHeader('content-type', 'application/json');
    if (request.url?.endsWith('held')) held.push(response);
    else response.end('[]');
  });
  const mesh = new Mesh({ address: agent.url });
  const waiting = mesh.instances('held');
  await mesh.instances('many');
  await eventually('it is on its way', () => held.length === 1);
  await mesh.stop();
  await expect(mesh.fetch('http://many/')).rejects.toMatchObject({ code: 'stopped', happened: 'no' });
  await eventually('what is idle ends', () => connections.size === 1);
  held[0]?.end('[]');
  expect(await waiting).toEqual([]);
  await eventually('the other one as well', () => connections.size === 0);
  // What outlives the mesh, such as an instance, goes on asking.
  expect(await mesh.instances('many')).toEqual([]);
});

test('health finds out by itself that the agent is silent, and that it answers again', async () => {
  let silent = false;
  await using agent = await HttpService.start((request, response) => {
    // A look at an instance without a heartbeat is held for a minute.
    if (silent || request.url?.includes('/agent/service/a-1')) return;
    response.setHeader('content-type', 'application/json');
    response.end(request.url?.includes('/status/leader') ? '"127.0.0.1:8300"' : '{}');
  });
  const now = performance.now.bind(performance);
  let ahead = 0;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + ahead);
  onTestFinished(() => clock.mockRestore());
  const mesh = new Mesh({ address: agent.url, timeout: '300ms' });
  await using instance = await mesh.register({ name: 'a', id: 'a-1', port: 1, checks: [] });
  const are = (status: string) => (): boolean => [mesh, instance].every((part) => part.health().status === status);
  await eventually('it is looked after', () => agent.requests === 2);
  // What was heard just now is enough.
  expect(are('pass')()).toBe(true);
  silent = true;
  ahead += 5_000;
  await eventually('both warn', are('warn'));
  expect(instance.health().detail).toContain('did not answer within 300 ms');
  silent = false;
  ahead += 5_000;
  await eventually('both are well', are('pass'));
  // One look is enough for all who ask.
  expect(agent.requests).toBe(4);
});

test('a second refusal does not say of a repeated request that nothing happened: the first may have been heard', async () => {
  await using agent = await HttpService.start((request) => {
    void agent[Symbol.asyncDispose]();
    request.socket.resetAndDestroy();
  });
  await expect(new Mesh({ address: agent.url }).instances('many')).rejects.toMatchObject({
    code: 'agent-unreachable',
    message: expect.stringContaining('refuses connections'),
    retryable: true,
    happened: 'unknown',
  });
});

test('an agent at an IPv6 address', async () => {
  await using agent = await HttpService.start(
    answers(() => 1, entries(3)),
    { host: '::1' },
  );
  expect(agent.url).toMatch(/^http:\/\/\[::1\]:/);
  expect(await new Mesh({ address: agent.url }).instances('many')).toHaveLength(3);
});

test.each<[what: string, type: string, text: string]>([
  ['a web page', 'text/html', '<h1>It works</h1>'],
  ['broken JSON', 'application/json', '[{'],
  ['text', 'text/plain', 'It works'],
  ['nothing', 'application/json', ''],
  ['null', 'application/json', 'null'],
  ['JSON of another kind', 'application/json', '"It works"'],
  ['a list of something else', 'application/json', '[null, { "Node": "n", "Value": 7 }]'],
])('%s instead of an answer is said to be that', async (_, type, text) => {
  await using agent = await HttpService.start((_, response) => response.setHeader('content-type', type).end(text));
  const mesh = new Mesh({ address: agent.url });
  await using watch = mesh.watch('many');
  const asked: Record<string, unknown> = {
    instances: await codeOf(mesh.instances('many')),
    watch: await codeOf(watch.next()),
    services: await codeOf(mesh.services()),
    get: await codeOf(mesh.kv.get('a')),
    keys: await codeOf(mesh.kv.keys('a')),
    set: await codeOf(mesh.kv.set('a', 'b')),
    delete: await codeOf(mesh.kv.delete('a')),
    session: await codeOf(mesh.session()),
    'an entry': await codeOf(mesh.config.get('service-defaults', 'a')),
    entries: await codeOf(mesh.config.list('service-defaults')),
    intentions: await codeOf(mesh.intentions.list()),
    allows: await codeOf(mesh.intentions.allows('a', 'b')),
    identity: await codeOf(mesh.authority.identity('a')),
    roots: await codeOf(mesh.authority.roots()),
    authorizes: await codeOf(mesh.authority.authorizes('a', { uri: 'spiffe://a', serial: '1' })),
    bootstrap: await codeOf(mesh.bootstrap('a-sidecar-proxy')),
  };
  for (const [what, code] of Object.entries(asked)) expect(code, what).toBe('malformed-reply');
});

test.each([
  [200, '[]'],
  [200, '{}'],
  [404, ''],
])('what was left out because of the token is an error and not an empty answer: %i %s', async (status, text) => {
  await using agent = await HttpService.start((_, response) => {
    response.setHeader('x-consul-results-filtered-by-acls', 'true').setHeader('content-type', 'application/json');
    response.writeHead(status).end(text);
  });
  const mesh = new Mesh({ address: agent.url });
  const asked: readonly Promise<unknown>[] =
    text === '{}' ? [mesh.services()] : [mesh.instances('many'), mesh.kv.keys('a')];
  expect(await Promise.all(asked.map(codeOf))).toEqual(asked.map(() => 'permission-denied'));
});

test('a name that nobody knows, and TLS where there is none', async () => {
  expect(await codeOf(new Mesh({ address: 'http://consul.invalid:8500' }).instances('many'))).toBe('agent-unreachable');
  await using agent = await HttpService.start((_, response) => response.end('[]'));
  const secure = new Mesh({ address: agent.url.replace('http:', 'https:') });
  expect(await codeOf(secure.instances('many'))).toBe('agent-certificate');
});

test('an aborted registration that cannot be taken back does not say that it did not happen', async () => {
  const abort = new AbortController();
  const reason = new QuorateError('stop', { code: 'fenced', happened: 'no', retryable: true });
  await using agent = await HttpService.start((request, response) => {
    if (request.url?.includes('sidecar-proxy')) return abort.abort(reason);
    response.writeHead(request.url?.includes('deregister') ? 500 : 200).end();
  });
  const mesh = new Mesh({ address: agent.url });
  const registering = mesh.register({ name: 'a', port: 1, sidecar: true }, { signal: abort.signal });
  await expect(registering).rejects.toMatchObject({ code: 'fenced', happened: 'unknown', retryable: false });
});

test('… also where the reason of the abort says nothing of what happened', async () => {
  const abort = new AbortController();
  await using agent = await HttpService.start((request, response) => {
    if (request.url?.includes('sidecar-proxy')) return abort.abort();
    response.writeHead(request.url?.includes('deregister') ? 500 : 200).end();
  });
  const registering = new Mesh({ address: agent.url }).register(
    { name: 'a', port: 1, sidecar: true },
    { signal: abort.signal },
  );
  await expect(registering).rejects.toMatchObject({
    code: 'ambiguous',
    happened: 'unknown',
    cause: { name: 'AbortError' },
  });
});

test('a repeatable write that was reset, and then aborted, may have been done', async () => {
  const abort = new AbortController();
  await using agent = await HttpService.start((request, response) => {
    if (!request.url?.includes('maintenance')) return response.end();
    // The first connection is lost, and nobody answers on the second.
    if (agent.requests === before + 1) request.socket.resetAndDestroy();
    else abort.abort(new Error('enough'));
  });
  const mesh = new Mesh({ address: agent.url });
  const instance = await mesh.register({ name: 'a', port: 1, checks: [] });
  await instance.deregister();
  const before = agent.requests;
  const waiting = instance.maintenance('repairs', { signal: abort.signal });
  await expect(waiting).rejects.toMatchObject({ code: 'ambiguous', cause: { message: 'enough' } });
});

test('the token is in no error, and in nothing that is published', async () => {
  const token = 'b1gs4331-1111-2222-3333-444455556666';
  await using refusing = await HttpService.start((_, response) => response.writeHead(403).end('ACL not found'));
  await using breaking = await HttpService.start((_, response) => {
    response.writeHead(200, { 'content-length': 100 }).write('[', () => response.destroy());
  });
  await using garbled = await HttpService.start((request) => request.socket.end('garbage\r\n\r\n'));
  const shown: string[] = [];
  const show = (what: unknown): void => void shown.push(inspect(what, { depth: 20, showHidden: true }));
  for (const name of ['tracing:quorate.mesh.request:error', 'quorate.mesh.watch', 'quorate.mesh.instance']) {
    subscribe(name, show);
    onTestFinished(() => void unsubscribe(name, show));
  }
  const silent = refusing.url.replace('http:', 'https:');
  for (const address of [refusing.url, breaking.url, garbled.url, 'http://127.0.0.1:1', silent]) {
    const mesh = new Mesh({ address, token });
    await using watch = mesh.watch('many', { patience: '1h' });
    const asked: readonly Promise<unknown>[] = [
      mesh.instances('many'),
      mesh.kv.get('a'),
      mesh.kv.set('a', 'b'),
      mesh.register({ name: 'a', port: 1 }),
      mesh.authority.roots(),
    ];
    await Promise.all(asked.map((each) => each.catch(show)));
    let over = false;
    void watch.next().catch((error) => {
      over = true;
      show(error);
    });
    await eventually('the watch fails', () => over || watch.failure);
    show(watch.failure);
  }
  expect(shown.length).toBeGreaterThan(40);
  expect(shown.filter((text) => text.includes(token)).map((text) => text.split('\n')[0])).toEqual([]);
});

test.each<[argument: string, options: object]>([
  ['address', { address: 'localhost:8500' }],
  ['address', { address: 'http://127.0.0.1:8500/v1' }],
  ['address', { address: 'http://127.0.0.1:8500', tls: { ca: 'x' } }],
  ['token', { token: 'with space' }],
  ['timeout', { timeout: 'soon' }],
  ['options.adress', { adress: 'x' }],
])('a bad %s of a mesh is refused: %j', (argument, options) => {
  expect(() => new Mesh(options as never)).toThrow(`${argument}: expected`);
});
