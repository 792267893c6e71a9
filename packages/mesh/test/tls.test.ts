import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { type AddressInfo, createServer as connectionServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, Testbed } from '@quorate/testbed';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { defaults, type Identity, Mesh, type MeshOptions } from '../src/index.ts';
import { codeOf, freePort } from './http-service.ts';
import { call, listen } from './mutual-tls.ts';
import { ask, settle } from './town.ts';

let bed: Testbed & { consul: { url: string }; envoy: { program: string } };
let folder: string;
let secure: string;
const pem = (name: string): string => readFileSync(join(folder, `${name}.pem`), 'utf8');
const openssl = (...args: string[]): void => {
  execFileSync(process.env.OPENSSL ?? 'openssl', args, { cwd: folder, stdio: 'pipe' });
};
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** An authority. */
function authority(name: string): void {
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-days',
    '2',
    '-subj',
    `/CN=${name}`,
    '-keyout',
    `${name}-key.pem`,
    '-out',
    `${name}.pem`,
  );
}

/** Somebody an authority vouches for; for 0 days means until now. */
function certificate(name: string, by: string, days: number, alternative = 'IP:127.0.0.1,DNS:localhost'): void {
  openssl('req', ...newKey, '-subj', `/CN=${name}`, '-keyout', `${name}-key.pem`, '-out', `${name}.csr`);
  writeFileSync(join(folder, 'names'), `subjectAltName=${alternative}\n`);
  const signer = ['-CA', `${by}.pem`, '-CAkey', `${by}-key.pem`, '-CAcreateserial'];
  const valid = ['-days', String(days), '-extfile', 'names'];
  openssl('x509', '-req', '-in', `${name}.csr`, ...signer, ...valid, '-out', `${name}.pem`);
}

function tlsFiles(name: string): object {
  const at = (file: string): string => join(folder, `${file}.pem`);
  const files = { ca_file: at('ca'), cert_file: at(name), key_file: at(`${name}-key`) };
  return { https: { ...files, verify_incoming: true }, grpc: { ...files, verify_incoming: false } };
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'quorate-mesh-tls-'));
  authority('ca');
  authority('stranger');
  // Envoy takes the certificate for the name that Consul's agents have in their datacenter.
  certificate('server', 'ca', 2, 'IP:127.0.0.1,DNS:localhost,DNS:server.dc1.consul');
  certificate('client', 'ca', 2);
  certificate('expired', 'ca', 0);
  certificate('unknown', 'stranger', 2);
  const [https, grpc] = [await freePort(), await freePort()];
  secure = `https://127.0.0.1:${https}`;
  const config = { ports: { https, grpc_tls: grpc, grpc: -1 }, tls: tlsFiles('server') };
  bed = await Testbed.start({ consul: { servers: 1, config }, envoy: true });
});
afterAll(async () => {
  await bed?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const trusted = (name = 'client'): MeshOptions => ({
  address: secure,
  tls: { ca: pem('ca'), cert: pem(name), key: pem(`${name}-key`) },
});

test('everything goes over TLS in both directions: the agent, and the configuration of Envoy', async () => {
  const mesh = new Mesh(trusted());
  const envoy = bed.envoy.program;
  await mesh.config.put(defaults('safe', { protocol: 'http' }));
  await settle(mesh, 'safe', { envoy, checks: [{ ttl: '5s' }] });
  const gateway = await settle(mesh, 'safe-gateway', { envoy, to: ['safe'] });
  const url = gateway.upstream.safe as string;
  await eventually('traffic', async () => (await ask(url)).status === 200);
  const { static_resources } = (await mesh.bootstrap(gateway.instance.proxyId as string)) as never;
  expect(JSON.stringify(static_resources)).toContain('UpstreamTlsContext');
});

test.each<[what: string, options: () => MeshOptions, message: RegExp]>([
  ['an authority we do not trust', () => ({ address: secure }), /signed by an authority that is not trusted here/],
  ['no certificate of ours', () => ({ address: secure, tls: { ca: pem('ca') } }), /does not accept our certificate/],
  ['a certificate of ours that has expired', () => trusted('expired'), /does not accept our certificate/],
  ['a certificate of ours from a stranger', () => trusted('unknown'), /does not accept our certificate/],
  ['plain HTTP where TLS is spoken', () => ({ address: secure.replace('https', 'http') }), /must begin with https:/],
])('%s: a clear error', async (_, options, message) => {
  const mesh = new Mesh(options());
  const error = await mesh.instances('safe').catch((error) => error);
  expect(error.code).toBe('agent-certificate');
  expect(error.message).toMatch(message);
  expect(error.message).toContain('tls.cert');
  expect(error.retryable).toBe(false);
});

test("the agent's certificate has expired: said so, by a watch as well, without waiting", async () => {
  // It gets no further than the handshake: any server will do.
  const old = createServer({ key: pem('expired-key'), cert: pem('expired') }).listen(0, '127.0.0.1');
  onTestFinished(() => void old.close());
  await once(old, 'listening');
  const mesh = new Mesh({ ...trusted(), address: `https://127.0.0.1:${(old.address() as AddressInfo).port}` });
  await expect(mesh.instances('safe')).rejects.toThrow('its certificate has expired');
  expect(await codeOf(mesh.watch('safe').next())).toBe('agent-certificate');
});

test('a write over TLS that is aborted: ambiguous when it was sent, the reason when TLS was not there yet', async () => {
  const reason = new Error('enough');
  const [handshakes, requests] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const files = { key: pem('server-key'), cert: pem('server') };
  const silent = createServer(files, () => requests.resolve()).listen(0, '127.0.0.1');
  const deaf = connectionServer((socket) => socket.once('data', () => handshakes.resolve())).listen(0, '127.0.0.1');
  for (const [server, reached, expected] of [
    [silent, requests, { code: 'ambiguous', cause: reason }],
    [deaf, handshakes, reason],
  ] as const) {
    if (!server.listening) await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const mesh = new Mesh({ ...trusted(), address: `https://127.0.0.1:${port}` });
    const abort = new AbortController();
    const failed = mesh.kv.set('a', '1', { signal: abort.signal }).catch((error) => error);
    await reached.promise;
    abort.abort(reason);
    expect(await failed).toMatchObject(expected);
    server.close();
  }
  silent.closeAllConnections();
});

// The certificates of the mesh itself. The last of these changes the authority that signs them.

test('two programs without sidecars know each other by the certificates of the mesh', async () => {
  const mesh = new Mesh({ address: bed.consul.url });
  const [query, gateway] = [await mesh.authority.identity('query'), await mesh.authority.identity('gateway')];
  const { trustDomain, roots } = await mesh.authority.roots();
  expect(query.uri).toBe(`spiffe://${trustDomain}/ns/default/dc/dc1/svc/query`);
  expect(roots.filter(({ active }) => active)).toHaveLength(1);
  expect(query.validUntil.getTime()).toBeGreaterThan(Date.now() + 3_600_000);
  const port = await listen(query);
  expect(await call(port, 'query', gateway)).toBe(gateway.uri);
  // Another service would have answered in its place.
  await expect(call(port, 'rides', gateway)).rejects.toThrow('expected the service rides, got query');
  // Nobody comes in without a certificate of the mesh.
  await expect(call(port, 'query')).rejects.toThrow();
});

test('intentions decide who may come in', async () => {
  const mesh = new Mesh({ address: bed.consul.url });
  const gateway = await mesh.authority.identity('gateway');
  expect(await mesh.authority.authorizes('query', gateway)).toMatchObject({ authorized: true });
  await mesh.intentions.deny('gateway', 'query');
  const denied = await eventually('denied', async () => {
    const answer = await mesh.authority.authorizes('query', gateway);
    return answer.authorized ? undefined : answer;
  });
  expect(denied.reason).toMatch(/deny/i);
});

test('while the authority changes, who has a certificate of the old one and who has one of the new one trust each other', async () => {
  const mesh = new Mesh({ address: bed.consul.url });
  const rides = await mesh.authority.identity('rides');
  const [old] = (await mesh.authority.roots()).roots;
  const response = await fetch(`${bed.consul.url}/v1/connect/ca/configuration`, {
    method: 'PUT',
    body: JSON.stringify({ Provider: 'consul', Config: { PrivateKeyType: 'rsa', PrivateKeyBits: 2048 } }),
  });
  expect(response.status).toBe(200);
  const roots = await eventually('there is another authority', async () => {
    const { roots } = await mesh.authority.roots();
    return roots.some(({ id, active }) => active && id !== old?.id) && roots;
  });
  expect((roots || []).map(({ id }) => id)).toContain(old?.id);
  // Consul renews those that are in use over half a minute: a service that had none is signed by the new one at once.
  const cabs = await mesh.authority.identity('cabs');
  const signedBy = ({ tls }: Identity): string => new X509Certificate(tls.cert).issuer;
  expect(signedBy(cabs)).not.toBe(signedBy(rides));
  const [before, after] = [await listen(rides), await listen(cabs)];
  expect(await call(before, 'rides', cabs)).toBe(cabs.uri);
  expect(await call(after, 'cabs', rides)).toBe(rides.uri);
  expect(await call(after, 'cabs', cabs)).toBe(cabs.uri);
});
