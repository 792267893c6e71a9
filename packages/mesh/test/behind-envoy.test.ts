import { retry } from '@quorate/core';
import { Relay } from '@quorate/testbed';
import { bedTest } from '@quorate/testbed/vitest';
import { expect } from 'vitest';
import { Mesh } from '../src/index.ts';
import { shared } from './town.ts';

const { consul, envoy: program } = shared();
const test = bedTest({});

/** An Envoy in front of one server, that tries twice when told to, and then words its error itself. */
function front(listen: number, upstream: number, tries: 1 | 2): string {
  const filters = 'type.googleapis.com/envoy.extensions.filters';
  const at = (port: number) => ({ socket_address: { address: '127.0.0.1', port_value: port } });
  const again = { retry_policy: { retry_on: 'reset,connect-failure', num_retries: 1 } };
  const routes = [{ match: { prefix: '/' }, route: { cluster: 'consul', ...(tries === 2 && again) } }];
  const text = { text_format_source: { inline_string: 'Error %RESPONSE_CODE%: %LOCAL_REPLY_BODY%' } };
  const http = {
    '@type': `${filters}.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: 'in',
    ...(tries === 2 && { local_reply_config: { body_format: text } }),
    route_config: { virtual_hosts: [{ name: 'all', domains: ['*'], routes }] },
    http_filters: [{ name: 'router', typed_config: { '@type': `${filters}.http.router.v3.Router` } }],
  };
  const endpoints = [{ lb_endpoints: [{ endpoint: { address: at(upstream) } }] }];
  return JSON.stringify({
    static_resources: {
      listeners: [
        { name: 'in', address: at(listen), filter_chains: [{ filters: [{ name: 'http', typed_config: http }] }] },
      ],
      clusters: [
        {
          name: 'consul',
          connect_timeout: '1s',
          type: 'STATIC',
          load_assignment: { cluster_name: 'consul', endpoints },
        },
      ],
    },
  });
}

test('a write whose answer is lost between Envoy and Consul is ambiguous, and `retry` does not do it twice', async ({
  bed,
}) => {
  let [writes, cuts] = [0, 0];
  await using relay = await Relay.to(new URL(consul).host, () => {
    let isWrite = false;
    return {
      question: (bytes) => {
        isWrite = /^PUT /.test(String(bytes));
        if (isWrite) writes += 1;
      },
      answer: () => {
        if (!isWrite || cuts === 0) return 'pass';
        cuts -= 1;
        return 'cut';
      },
    };
  });
  await using envoy = await bed.run({
    name: 'front',
    command: program,
    args: ['--config-path', 'envoy.json', '--disable-hot-restart', '--concurrency', '1', '--log-level', 'warning'],
    files: ({ port }) => ({ 'envoy.json': front(port, relay.port, 1) }),
    ready: async (_, { port }) => (await fetch(`http://127.0.0.1:${port}/v1/status/leader`)).ok,
  });
  const mesh = new Mesh({ address: `http://127.0.0.1:${envoy.port}` });
  await mesh.kv.set('behind-envoy/before', '');
  const before = writes;
  cuts = 1;
  const writing = retry(() => mesh.kv.set('behind-envoy/rides', '1'), { min: 1, max: 1 });
  await expect(writing).rejects.toMatchObject({
    code: 'ambiguous',
    message: expect.stringContaining('503'),
    retryable: false,
    happened: 'unknown',
  });
  expect(writes).toBe(before + 1);
  expect((await mesh.kv.get('behind-envoy/rides'))?.value.toString()).toBe('1');
});

test('an Envoy whose second attempt is refused, and that says so in words of its own: the write is ambiguous', async ({
  bed,
}) => {
  let cut = false;
  const relay: Relay = await Relay.to(new URL(consul).host, () => {
    let isWrite = false;
    return {
      question: (bytes) => {
        isWrite = /^PUT /.test(String(bytes));
      },
      answer: () => {
        if (!isWrite || !cut) return 'pass';
        // The second attempt finds nobody.
        void relay[Symbol.asyncDispose]();
        return 'cut';
      },
    };
  });
  await using envoy = await bed.run({
    name: 'insistent-front',
    command: program,
    args: ['--config-path', 'envoy.json', '--disable-hot-restart', '--concurrency', '1', '--log-level', 'warning'],
    files: ({ port }) => ({ 'envoy.json': front(port, relay.port, 2) }),
    ready: async (_, { port }) => (await fetch(`http://127.0.0.1:${port}/v1/status/leader`)).ok,
  });
  const mesh = new Mesh({ address: `http://127.0.0.1:${envoy.port}` });
  cut = true;
  await expect(mesh.kv.set('behind-envoy/twice', '1')).rejects.toMatchObject({
    code: 'ambiguous',
    message: expect.stringMatching(/Error 503: .*Connection refused/),
    retryable: false,
    happened: 'unknown',
  });
  const direct = new Mesh({ address: consul });
  expect((await direct.kv.get('behind-envoy/twice'))?.value.toString()).toBe('1');
});
