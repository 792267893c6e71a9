import { Agent, request } from 'node:http';
import { eventually } from '@quorate/testbed';
import { expect, test } from 'vitest';
import { defaults, Mesh } from '../src/index.ts';
import { ask, settle, shared } from './town.ts';

test('a rolling restart under load, in the right order: no request fails', async () => {
  const { consul, envoy } = shared();
  const mesh = new Mesh({ address: consul });
  await mesh.config.put(defaults('rolled', { protocol: 'http' }));
  const [gateway, ...running] = await Promise.all([
    settle(mesh, 'roller', { envoy, to: ['rolled'] }),
    settle(mesh, 'rolled', { envoy, drain: '10s' }),
    settle(mesh, 'rolled', { envoy, drain: '10s' }),
  ]);
  const url = gateway.upstream.rolled as string;
  await eventually('traffic', async () => (await ask(url)).status === 200);

  const agent = new Agent({ keepAlive: true });
  const get = (): Promise<number> =>
    new Promise((resolve) => {
      request(url, { agent }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode ?? 0));
      })
        .on('error', () => resolve(0))
        .end();
    });
  const stop = new AbortController();
  const counts: Record<number, number> = {};
  const load = Array.from({ length: 4 }, async () => {
    while (!stop.signal.aborted) {
      const status = await get();
      counts[status] = (counts[status] ?? 0) + 1;
    }
  });
  // Two more for a while: the old ones go one after the other.
  const fresh = await Promise.all(running.map(() => settle(mesh, 'rolled', { envoy })));
  await eventually('the new ones are asked', () => fresh.every(({ service }) => service.requests > 0));
  const served = (): number => counts[200] ?? 0;
  for (const old of running) {
    const before = served();
    // Out of discovery; what is on its way goes through; then away.
    await old.instance.maintenance('a rolling restart');
    await old.sidecar.stop();
    await old.instance.deregister();
    await old.service[Symbol.asyncDispose]();
    // It was asked, and others went on being asked while it went: else nothing could have failed.
    expect(old.service.requests).toBeGreaterThan(0);
    expect(served() - before).toBeGreaterThan(20);
  }
  stop.abort();
  await Promise.all(load);
  agent.destroy();
  expect(Object.keys(counts)).toEqual(['200']);
});
