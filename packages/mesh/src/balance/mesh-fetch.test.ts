import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { finished } from 'node:stream';
import { eventually } from '@quorate/testbed';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ServiceInstance } from '../discovery/service-instance.ts';
import type { Followed } from '../discovery/watch.ts';
import { Balancer } from './balancer.ts';
import { type MeshRequestInit, meshFetch } from './mesh-fetch.ts';
import { RetryBudget } from './retry-budget.ts';

async function listen(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

/** A service whose instances answer like this, each one left out after two failures in a row. Those that are `odd` come first. */
async function service(listeners: readonly RequestListener[], odd: readonly Partial<ServiceInstance>[] = []) {
  const ports = await Promise.all(listeners.map(listen));
  const fixed = { name: 'query', node: 'n', datacenter: 'dc1', address: '127.0.0.1', tags: [], meta: {} };
  const instance = (id: string, more: Partial<ServiceInstance>): ServiceInstance => {
    return { ...fixed, id, port: 8080, status: 'passing', weight: 1, ...more };
  };
  const latest = [
    ...odd.map((more, index) => instance(`odd-${index + 1}`, more)),
    ...ports.map((port, index) => instance(`query-${index + 1}`, { port })),
  ];
  const watch = { latest, age: 0, failure: undefined } as unknown as Followed<readonly ServiceInstance[]>;
  const balancer = new Balancer('query', watch, { policy: 'round-robin', ejectAfter: 2, ejectAtMost: 1 });
  const destination = { balancer, budget: new RetryBudget() };
  return {
    ask: (init: MeshRequestInit = {}, input: string | Request = 'http://query/') =>
      meshFetch(input, { attempts: 1, ...init }, () => destination),
    ejected: () => balancer.ejected.map(({ id }) => id),
  };
}

test('an instance that redirects to where it fails, or hangs, has done well itself', async () => {
  const sick = await listen((_, response) => response.writeHead(503).end());
  const gone = await listen(rudeness);
  const hung = await listen(silence);
  for (const port of [sick, gone, hung]) {
    const { ask, ejected } = await service([
      (_, response) => response.writeHead(302, { location: `http://127.0.0.1:${port}/` }).end(),
    ]);
    for (let request = 0; request < 4; request += 1) await ask({ deadline: '100ms' }).catch(() => undefined);
    expect(ejected(), `to ${port}`).toEqual([]);
  }
  // What it says of itself counts, also by way of a redirect.
  const itself = await service([
    ({ url }, response) =>
      url === '/' ? response.writeHead(302, { location: '/sick' }).end() : response.writeHead(503).end(),
  ]);
  for (let request = 0; request < 2; request += 1) await itself.ask();
  expect(itself.ejected()).toEqual(['query-1']);
});

const silence: RequestListener = () => undefined;
const rudeness: RequestListener = (request) => request.socket.destroy();
const echo: RequestListener = (request, response) => request.pipe(response);

describe('nothing is sent, and another instance answers,', () => {
  test.each<[why: string, odd: Partial<ServiceInstance>, message: string]>([
    ['where an address is none', { address: 'bad host' }, 'an address that is none: bad host:8080'],
    ['where `fetch` refuses the port', { port: 6000 }, 'fetch sends nothing to port 6000'],
  ])('%s', async (_, odd, message) => {
    const { ask, ejected } = await service([echo], [odd]);
    for (let request = 0; request < 4; request += 1) {
      const answer = await ask({ method: 'POST', body: 'x', attempts: 2 });
      expect(await answer.text()).toBe('x');
    }
    expect(ejected()).toEqual(['odd-1']);
    const alone = (await service([], [odd])).ask({ method: 'POST', body: 'x' });
    await expect(alone).rejects.toMatchObject({
      code: 'service-unreachable',
      happened: 'no',
      message: expect.stringContaining(message),
    });
  });

  test('where nobody listens: also with a body that can be read once, as long as nobody has', async () => {
    // No program listens at port 2.
    const { ask } = await service([echo], [{ port: 2 }]);
    const asRequest = new Request('http://query/', { method: 'POST', body: 'request' });
    expect(await (await ask({ attempts: 2 }, asRequest)).text()).toBe('request');
    const body = new Blob(['stream']).stream();
    const asStream = { method: 'POST', body, duplex: 'half', attempts: 2 } as MeshRequestInit;
    expect(await (await ask(asStream)).text()).toBe('stream');
  });
});

test.each([502, 503, 504])('a read that was answered with %i goes to another instance', async (status) => {
  const { ask } = await service([(_, response) => response.writeHead(status).end(), echo]);
  expect((await ask({ attempts: 2 })).status).toBe(200);
});

test('a write that was sent and not answered by the deadline is ambiguous, a read is late', async () => {
  const { ask } = await service([silence]);
  const code = async (method: string) => ask({ method, deadline: '100ms' }).catch((error) => error.code);
  const methods = ['PUT', 'DELETE', 'POST', 'GET'];
  const [late, ambiguous] = ['deadline-exceeded', 'ambiguous'];
  expect(await Promise.all(methods.map(code))).toEqual([ambiguous, ambiguous, ambiguous, late]);
  // The deadline comes while it waits to be sent again.
  const rude = await service([rudeness]);
  const putting = rude.ask({ method: 'PUT', body: 'x', attempts: 100, deadline: '60ms' });
  await expect(putting).rejects.toMatchObject({ code: ambiguous, happened: 'unknown' });
});

test('a redirect that the caller takes for an error is none of the instance, and is not asked for twice', async () => {
  let requests = 0;
  const redirect: RequestListener = (_, response) => {
    requests += 1;
    response.writeHead(302, { location: '/there' }).end();
  };
  const { ask, ejected } = await service([redirect, redirect]);
  for (let request = 1; request <= 4; request += 1) {
    const asking = ask({ redirect: 'error', attempts: 3 });
    await expect(asking).rejects.toThrow(TypeError);
    await expect(asking).rejects.toThrow("answered by a redirect (302, to /there), with redirect: 'error'");
    expect(requests).toBe(request);
  }
  expect(ejected()).toEqual([]);
  const posting = ask({ method: 'POST', redirect: 'error', attempts: 3 });
  await expect(posting).rejects.toMatchObject({ code: 'ambiguous', happened: 'unknown' });
  expect(requests).toBe(5);
});

test('a path that begins with two slashes is a path, and no other host', async () => {
  const { ask } = await service([({ url }, response) => response.end(url)]);
  expect(await (await ask({}, 'http://query//other/x?y=1')).text()).toBe('//other/x?y=1');
});

test.each<[argument: string, init: object, url?: string]>([
  ['url.port', {}, 'http://query:9/'],
  ['integrity', { integrity: 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' }],
  ['dispatcher', { dispatcher: { dispatch: () => true } }],
])('%s would mean nothing, and is refused', async (argument, init, url) => {
  const { ask } = await service([echo]);
  await expect(ask(init, url)).rejects.toMatchObject({ code: 'invalid-argument', argument });
});

describe('the body of an answer', () => {
  const silent: RequestListener = (_, response) => void response.write('so far');
  const broken: RequestListener = (_, response) => void response.write('so far', () => response.destroy());

  test.each<[what: string, RequestListener, read: (response: Response) => Promise<unknown>]>([
    ['that never ends', silent, (response) => response.text()],
    [
      'that never ends, read part by part',
      silent,
      async ({ body }) => (body as ReadableStream).pipeTo(new WritableStream()),
    ],
    ['that breaks off', broken, (response) => response.text()],
  ])('%s is a failure of its instance', async (_, listener, read) => {
    const { ask, ejected } = await service([listener]);
    for (let request = 0; request < 2; request += 1) {
      const response = await ask({ deadline: '100ms' });
      await expect(read(response)).rejects.toThrow();
    }
    await eventually('it is left out', () => ejected().length === 1);
  });

  test('that was read is a success, and begins the count anew', async () => {
    let requests = 0;
    const { ask, ejected } = await service([
      (_, response) => {
        requests += 1;
        response.writeHead(requests % 2 === 0 ? 200 : 503).end('well');
      },
    ]);
    for (let request = 0; request < 6; request += 1) await (await ask()).text();
    expect(ejected()).toEqual([]);
  });

  test('that the caller has enough of, or does not look at, says nothing against its instance', async () => {
    const { ask, ejected } = await service([silent]);
    const over: Promise<unknown>[] = [];
    for (let request = 0; request < 4; request += 1) {
      await (await ask()).body?.cancel();
      const abort = new AbortController();
      const reading = (await ask({ signal: abort.signal })).text();
      abort.abort();
      await expect(reading).rejects.toThrow('abort');
      // Nobody reads this one until the deadline.
      const { body } = await ask({ deadline: '100ms' });
      over.push(new Promise((resolve) => finished(body as ReadableStream, resolve)));
    }
    await Promise.all(over);
    expect(ejected()).toEqual([]);
  });

  test('arrives part by part', async () => {
    let end = (): void => undefined;
    const { ask } = await service([
      (_, response) => {
        response.write('one');
        end = () => response.end('two');
      },
    ]);
    const parts = ((await ask()).body as ReadableStream<Uint8Array>).values();
    expect(String(Buffer.from((await parts.next()).value as Uint8Array))).toBe('one');
    end();
    expect(String(Buffer.from((await parts.next()).value as Uint8Array))).toBe('two');
    expect((await parts.next()).done).toBe(true);
  });
});
