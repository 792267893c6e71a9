import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { ServiceInstance } from '../discovery/service-instance.ts';
import type { Watch } from '../discovery/watch.ts';
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
  const watch = { latest, age: 0, failure: undefined } as unknown as Watch<readonly ServiceInstance[]>;
  const balancer = new Balancer('query', watch, { policy: 'round-robin', ejectAfter: 2, ejectAtMost: 1 });
  const destination = { balancer, budget: new RetryBudget() };
  return {
    ask: (init: MeshRequestInit = {}) => meshFetch('http://query/', { attempts: 1, ...init }, () => destination),
    ejected: () => balancer.ejected.map(({ id }) => id),
  };
}

test('an instance that redirects to where it fails, or hangs, has done well itself', async () => {
  const sick = await listen((_, response) => response.writeHead(503).end());
  const gone = await listen((request) => request.socket.destroy());
  const hung = await listen(() => undefined);
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
