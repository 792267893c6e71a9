import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Programs } from '@quorate/testbed';
import { bedTest } from '@quorate/testbed/vitest';
import { expect, onTestFinished } from 'vitest';
import { Mesh } from '../src/index.ts';

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
  const { bootstrapOf } = await import('../src/sidecar/bootstrap.ts');
  const ours = bootstrapOf({
    proxyId: instance.proxyId as string,
    service: 'query',
    datacenter: 'dc1',
    grpc: { host: '127.0.0.1', port: 8503, ca: pem, tls: true },
    token,
    admin: { host: '127.0.0.1', port: 19_005 },
  });
  const theirs = await consulsOwn(
    bed.consul.url,
    ...['-sidecar-for', instance.id, '-token', token, '-admin-bind', '127.0.0.1:19005'],
    ...['-grpc-addr', 'https://127.0.0.1:8503', '-grpc-ca-file', ca],
  );
  await expectEqual(ours as Json, theirs);
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
