import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually, Programs } from '@quorate/testbed';
import { bedTest } from '@quorate/testbed/vitest';
import { describe, expect, onTestFinished, vi } from 'vitest';
import { Mesh, proxyDefaults } from '../src/index.ts';
import { bootstrapOf } from '../src/sidecar/bootstrap.ts';
import { envoyConfig } from '../src/sidecar/envoy-config.ts';

const test = bedTest({ consul: 1 });

type Json = Record<string, unknown>;

/** What Consul's own command prints for the same proxy. */
async function consulsOwn(url: string, ...args: readonly string[]): Promise<Json> {
  const { path } = await new Programs({ offline: true }).get('consul');
  const { path: envoy } = await new Programs({ offline: true }).get('envoy');
  const command = ['connect', 'envoy', '-bootstrap', '-http-addr', url, '-envoy-binary', envoy];
  const { stdout } = await promisify(execFile)(path, [...command, '-ignore-envoy-compatibility', ...args]);
  return JSON.parse(stdout) as Json;
}

/** Protobuf's JSON takes both spellings of a name; Consul's command prints a mixture. */
function snake(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snake);
  if (typeof value !== 'object' || value === null) return value;
  const name = (key: string): string =>
    key.startsWith('envoy.') ? key : key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [name(key), snake(inner)]));
}

interface Tag {
  readonly tag_name: string;
  readonly regex?: string;
  readonly fixed_value?: string;
}

function tagsOf(bootstrap: Json): readonly Tag[] {
  return (bootstrap.stats_config as { stats_tags: readonly Tag[] }).stats_tags;
}

/** What an Envoy with these tags would make of a counter's name. */
function tagged(tags: readonly Tag[], name: string): Json {
  const found = tags.map(({ tag_name, regex, fixed_value }) => {
    if (regex === undefined) return [tag_name, fixed_value];
    return [tag_name, new RegExp(regex).exec(name)?.[2]];
  });
  return Object.fromEntries(found.filter(([, value]) => value !== undefined));
}

const names = [
  'cluster.query.default.dc1.internal.11111111-2222.consul.upstream_rq_total',
  'cluster.v1.query.default.dc1.internal.11111111-2222.consul.upstream_rq_total',
  'cluster.abcd1234~v1.query.default.dc1.internal.11111111-2222.consul.upstream_rq_total',
  'cluster.passthrough~query.default.dc1.internal.11111111-2222.consul.upstream_rq_total',
  'cluster.query.default.part1.dc1.internal-v1.11111111-2222.consul.upstream_rq_total',
  'cluster.local_app.upstream_rq_total',
  'http.upstream.query.default.default.dc1.downstream_rq_total',
  'tcp.upstream.query.default.default.dc1.downstream_cx_total',
  'http.public_listener.downstream_rq_total',
];

/** Older names of what `consul.destination.…` says as well; ours leaves them out, and what the peering and full names say. */
const left =
  /^consul\.(?!destination\.|upstream\.|source\.)|^consul\.destination\.(?:peer|target|full_target)$|upstream\.peer$/;

async function comparable(bootstrap: Json): Promise<unknown> {
  const { stats_config, ...rest } = snake(bootstrap) as Json;
  return rest;
}

async function expectEqual(ours: Json, theirs: Json): Promise<void> {
  expect(await comparable(ours)).toEqual(await comparable(theirs));
  const kept = tagsOf(theirs).filter(({ tag_name }) => !left.test(tag_name));
  for (const name of names) expect(tagged(tagsOf(ours), name), name).toEqual(tagged(kept, name));
}

test('is equal in meaning to what Consul prints: plain gRPC', async ({ bed }) => {
  const mesh = new Mesh({ address: bed.consul.url });
  await using instance = await mesh.register({ name: 'query', port: 8080, sidecar: { upstreams: { rides: 9191 } } });
  const ours = await mesh.bootstrap(instance.proxyId as string);
  await expectEqual(ours as Json, await consulsOwn(bed.consul.url, '-sidecar-for', instance.id));
});

test('… and gRPC over TLS, with a token and another place for the administration', async ({ bed }) => {
  const plain = new Mesh({ address: bed.consul.url });
  await using instance = await plain.register({ name: 'query', port: 8081, sidecar: true });
  const folder = await mkdtemp(join(tmpdir(), 'quorate-bootstrap-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const ca = join(folder, 'ca.pem');
  const roots = (await (await fetch(`${bed.consul.url}/v1/connect/ca/roots`)).json()) as {
    Roots: { RootCert: string }[];
  };
  const pem = roots.Roots[0]?.RootCert as string;
  await writeFile(ca, pem);
  const token = '11111111-2222-3333-4444-555555555555';
  // The authority belongs to a mesh that speaks TLS; its agent is asked through a small plain detour here.
  const ours = bootstrapOf({
    proxyId: instance.proxyId as string,
    service: 'query',
    datacenter: 'dc1',
    grpc: { host: '127.0.0.1', port: 8503, ca: pem, tls: true },
    token,
    admin: { host: '127.0.0.1', port: 19_005 },
    config: envoyConfig('config', {}),
  });
  const theirs = await consulsOwn(
    bed.consul.url,
    ...['-sidecar-for', instance.id, '-token', token, '-admin-bind', '127.0.0.1:19005'],
    ...['-grpc-addr', 'https://127.0.0.1:8503', '-grpc-ca-file', ca],
  );
  await expectEqual(ours as Json, theirs);
});

describe('what the registration says of Envoy', () => {
  const listener = '{"name":"more","address":{"socket_address":{"address":"127.0.0.1","port_value":9999}}}';
  test.for<[what: string, config: Json]>([
    ['Prometheus', { envoy_prometheus_bind_addr: '0.0.0.0:9102' }],
    ['figures as they are', { envoy_stats_bind_addr: '127.0.0.1:9103', envoy_prometheus_bind_addr: '127.0.0.1:9102' }],
    ['tags', { envoy_stats_tags: ['zone=a', 'rack=b=c'] }],
    ['statsd', { envoy_statsd_url: 'udp://127.0.0.1:9125', envoy_stats_flush_interval: '5s' }],
    [
      'DogStatsD by a socket',
      { envoy_dogstatsd_url: 'unix:///run/dog.sock', envoy_statsd_url: 'udp://127.0.0.1:9125' },
    ],
    [
      'other sinks',
      { envoy_extra_stats_sinks_json: '{"name":"a"},{"name":"b"}', envoy_dogstatsd_url: 'udp://127.0.0.1:1' },
    ],
    ['statistics', { envoy_stats_config_json: '{"use_all_default_tags":false}', envoy_stats_tags: ['zone=a'] }],
    [
      'clusters and listeners',
      { envoy_extra_static_clusters_json: '{"name":"c1"},{"name":"c2"}', envoy_extra_static_listeners_json: listener },
    ],
    [
      'all that listens',
      {
        envoy_extra_static_listeners_json: listener,
        envoy_extra_static_clusters_json: '{"name":"c1"}',
        envoy_prometheus_bind_addr: '127.0.0.1:9102',
        envoy_stats_bind_addr: '127.0.0.1:9103',
      },
    ],
    ['tracing', { envoy_tracing_json: '{"http":{"name":"envoy.tracers.zipkin"}}' }],
  ])("%s: as by Consul's command", async ([, config], { bed }) => {
    const mesh = new Mesh({ address: bed.consul.url });
    await using instance = await mesh.register({
      name: 'configured',
      port: 8083,
      checks: [],
      sidecar: { port: 21_777, config },
    });
    const ours = (await mesh.bootstrap(instance.proxyId as string)) as Json;
    const theirs = await consulsOwn(bed.consul.url, '-sidecar-for', instance.id);
    if (!config.envoy_stats_config_json) return expectEqual(ours, theirs);
    expect(snake(ours)).toEqual(snake(theirs));
  });

  test('for all proxies counts too', async ({ bed }) => {
    const mesh = new Mesh({ address: bed.consul.url });
    // What is meant for gateways, and is nothing to a sidecar.
    const forGateways = { envoy_gateway_remote_tcp_enable_keepalive: true, envoy_mesh_gateway_no_default_bind: true };
    await mesh.config.put(proxyDefaults({ envoy_prometheus_bind_addr: '127.0.0.1:9104', ...forGateways }));
    onTestFinished(() => mesh.config.delete('proxy-defaults', 'global'));
    await using instance = await mesh.register({ name: 'common', port: 8084, checks: [], sidecar: { port: 21_778 } });
    const ours = await eventually('it is said', async () => {
      const bootstrap = await mesh.bootstrap(instance.proxyId as string);
      return JSON.stringify(bootstrap).includes('9104') ? (bootstrap as Json) : undefined;
    });
    await expectEqual(ours, await consulsOwn(bed.consul.url, '-sidecar-for', instance.id));
  });

  test('a URL may stand in an environment variable', () => {
    onTestFinished(() => void vi.unstubAllEnvs());
    vi.stubEnv('QUORATE_TEST_STATSD', 'udp://10.0.0.1:9125');
    const { sinks } = envoyConfig('config', { envoy_statsd_url: '$QUORATE_TEST_STATSD' });
    expect(JSON.stringify(sinks)).toContain('"address":"10.0.0.1","port_value":9125');
    vi.stubEnv('QUORATE_TEST_SECRET', 'hunter2');
    const secret = (): unknown => envoyConfig('config', { envoy_statsd_url: '$QUORATE_TEST_SECRET' });
    expect(secret).toThrow('$QUORATE_TEST_SECRET');
    expect(secret).not.toThrow('hunter2');
    expect(envoyConfig('config', { envoy_statsd_url: 'udp://[::1]:9125' }).sinks).toMatchObject([
      { typed_config: { address: { socket_address: { address: '::1', port_value: 9125 } } } },
    ]);
    expect(() => envoyConfig('config', { envoy_statsd_url: '$QUORATE_TEST_NONE' })).toThrow(
      'config.envoy_statsd_url: expected',
    );
  });

  test.for<[name: string, value: unknown]>([
    ['envoy_bootstrap_json_tpl', '{}'],
    ['envoy_telemetry_collector_bind_socket_dir', '/tmp'],
    ['envoy_prometheus_bind_adr', '127.0.0.1:1'],
    ['envoy_prometheus_bind_addr', 'nowhere'],
    ['envoy_prometheus_bind_addr', 9102],
    ['envoy_extra_static_clusters_json', '{'],
    ['envoy_stats_tags', ['zone']],
    ['envoy_statsd_url', 'http://127.0.0.1'],
  ])('%s: %j is refused by name, before anything is touched', async ([name, value]) => {
    const mesh = new Mesh({ address: 'http://127.0.0.1:1' });
    const registering = mesh.register({ name: 'a', port: 1, sidecar: { config: { [name]: value } } });
    await expect(registering).rejects.toThrow(`sidecar.config.${name}: expected`);
  });
});

test('gRPC over TLS without an authority is refused: Envoy would send the token to anybody', async ({ bed }) => {
  const mesh = new Mesh({ address: bed.consul.url, token: 'secret' });
  await using instance = await mesh.register({ name: 'query', port: 8085, checks: [], sidecar: { port: 21_779 } });
  const bootstrap = mesh.bootstrap(instance.proxyId as string, { grpc: '127.0.0.1:8503', grpcTls: true });
  await expect(bootstrap).rejects.toThrow("tls.ca: expected the authority that signed the agent's certificate");
});

test('of what is no sidecar is refused', async ({ bed }) => {
  const mesh = new Mesh({ address: bed.consul.url });
  await using instance = await mesh.register({ name: 'query', port: 8082 });
  await expect(mesh.bootstrap(instance.id)).rejects.toThrow('proxyId: expected the id of a sidecar');
  await expect(mesh.bootstrap('nobody')).rejects.toMatchObject({ code: 'not-found' });
  await expect(mesh.bootstrap(instance.id, { admin: 'here' })).rejects.toThrow('admin: expected an address');
  await expect(mesh.startSidecar(instance)).rejects.toThrow(
    'instance: expected one that was registered with a sidecar',
  );
});
