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

/** A service whose instances answer like this, each one left out after two failures in a row. */
async function service(listeners: readonly RequestListener[]) {
  const ports = await Promise.all(listeners.map(listen));
  const fixed = { name: 'query', node: 'n', datacenter: 'dc1', address: '127.0.0.1', tags: [], meta: {} };
  const latest = ports.map((port, index): ServiceInstance => {
    return { ...fixed, id: `query-${index + 1}`, port, status: 'passing', weight: 1 };
  });
  const watch = { latest, age: 0, failure: undefined } as unknown as Followed<readonly ServiceInstance[]>;
  const balancer = new Balancer('query', watch, { policy: 'round-robin', ejectAfter: 2, ejectAtMost: 1 });
  const destination = { balancer, budget: new RetryBudget() };
  return {
    ask: (init: MeshRequestInit = {}) => meshFetch('http://query/', { attempts: 1, ...init }, () => destination),
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
