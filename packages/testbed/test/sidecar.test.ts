import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect } from 'vitest';
import { eventually } from '../src/index.ts';
import { Ports } from '../src/processes/ports.ts';
import { Warden } from '../src/processes/warden.ts';
import { bedTest } from '../src/vitest.ts';
import { scratch } from './archives.ts';

const test = bedTest({ envoy: true });

const at = (port: number): object => ({ socket_address: { address: '127.0.0.1', port_value: port } });
const filters = 'type.googleapis.com/envoy.extensions.filters';

/** What a sidecar is at its heart: a listener, and behind it the one service. */
function bootstrap(listener: number, service: number): object {
  const router = { name: 'router', typed_config: { '@type': `${filters}.http.router.v3.Router` } };
  const routes = [{ match: { prefix: '/' }, route: { cluster: 'service', timeout: '0.3s' } }];
  const manager = {
    '@type': `${filters}.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: 'in',
    route_config: { virtual_hosts: [{ name: 'all', domains: ['*'], routes }] },
    http_filters: [router],
  };
  const endpoints = [{ lb_endpoints: [{ endpoint: { address: at(service) } }] }];
  return {
    static_resources: {
      listeners: [
        { name: 'in', address: at(listener), filter_chains: [{ filters: [{ name: 'http', typed_config: manager }] }] },
      ],
      clusters: [
        {
          name: 'service',
          connect_timeout: '0.3s',
          type: 'STATIC',
          load_assignment: { cluster_name: 'service', endpoints },
        },
      ],
    },
  };
}

test('a service and its sidecar have a link, each way: a real Envoy sees it break', async ({ bed }) => {
  const service = createServer((_request, response) => response.end('42')).listen(0, '127.0.0.1');
  await once(service, 'listening');
  const ports = new Ports();
  const listener = await ports.claim();
  await using place = await scratch();
  await using warden = await Warden.open(join(place.folder, 'warden'));

  bed.introduce('query', (service.address() as AddressInfo).port).introduce('query-sidecar', listener);
  const link = bed.link('query', 'query-sidecar');
  const behind = Number((await link.addressOf('query')).split(':')[1]);
  const config = join(place.folder, 'envoy.json');
  await writeFile(config, JSON.stringify(bootstrap(listener, behind)));
  const args = ['--config-path', config, '--disable-hot-restart', '--concurrency', '1', '--log-level', 'off'];
  (await warden.launch({ command: bed.envoy.program, args, cwd: place.folder, output: 'pipe' })).unref();

  const through = async (address: string): Promise<string> => {
    const response = await fetch(`http://${address}/`, {
      headers: { connection: 'close' },
      signal: AbortSignal.timeout(2_000),
    });
    return response.ok ? response.text() : String(response.status);
  };
  const direct = `127.0.0.1:${listener}`;
  await eventually('the sidecar serves', async () => (await through(direct)) === '42');
  expect(await through(await link.address)).toBe('42');

  await link.set({ refuse: true });
  expect(await through(direct)).toBe('503');
  await link.set({ blackHole: true });
  expect(await through(direct)).toMatch(/^50[34]$/);
  await expect(through(await link.address)).rejects.toThrow();
  await link.heal();
  await eventually('it is well again', async () => (await through(direct)) === '42');

  const cut = await bed.partition(['query'], ['query-sidecar']);
  expect(await through(direct)).toMatch(/^50[34]$/);
  await cut.heal();
  await eventually('it is well again', async () => (await through(await link.address)) === '42');
  service.closeAllConnections();
  service.close();
  ports.release();
});

test('who is introduced has a name of its own and a port', async ({ bed }) => {
  expect(() => bed.introduce('envoy-1', 80)).toThrow('name: expected a name that no server of the bed has');
  expect(() => bed.introduce('a b', 80)).toThrow('name: expected a name: letters,');
  expect(() => bed.introduce('query', 0)).toThrow('port: expected a port from 1 to 65535, got 0');
  expect(() => bed.link('query-7', 'query-8')).toThrow(/link: expected a client's name and one of envoy-1/);
  await expect(bed.link('client', 'envoy-1').addressOf('client')).rejects.toThrow(/these two use theirs by themselves/);
  await expect(bed.link('client', 'envoy-1').addressOf('query')).rejects.toThrow('party: expected client or envoy-1');
  // Another port than its own: the listener instead of the administration.
  const listener = Number(new URL(bed.envoy.url).port);
  const answer = await fetch(`http://${await bed.link('client', 'envoy-1').addressOf('envoy-1', listener)}/`);
  expect(await answer.text()).toBe('Envoy is here.\n');
});
