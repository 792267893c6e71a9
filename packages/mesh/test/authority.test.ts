import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { eventually } from '@quorate/testbed';
import { bedTest } from '@quorate/testbed/vitest';
import { expect, onTestFinished } from 'vitest';
import { type Identity, isService, Mesh, spiffeUri } from '../src/index.ts';

const test = bedTest({ consul: 1 });

/** A program that speaks mutual TLS itself, and says who came. */
async function listen(identity: Identity): Promise<number> {
  const server = createServer({ ...identity.tls, ca: [...identity.tls.ca], requestCert: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.end(String(spiffeUri(socket.getPeerCertificate())));
  });
  server.on('tlsClientError', () => undefined);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

async function call(port: number, expected: string, identity?: Identity): Promise<string> {
  const tls = identity ? { ...identity.tls, ca: [...identity.tls.ca] } : { rejectUnauthorized: false };
  const socket: TLSSocket = connect({ ...tls, host: '127.0.0.1', port, checkServerIdentity: isService(expected) });
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  await once(socket, 'close');
  return text;
}

test('two programs without sidecars know each other by the certificates of the mesh', async ({ bed }) => {
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

test('intentions decide who may come in', async ({ bed }) => {
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

test('a new authority: the watch brings a certificate of it, and both are trusted', async ({ bed }) => {
  const mesh = new Mesh({ address: bed.consul.url });
  await using watch = mesh.authority.watch('rides');
  const first = (await watch.next()).value as Identity;
  const response = await fetch(`${bed.consul.url}/v1/connect/ca/configuration`, {
    method: 'PUT',
    body: JSON.stringify({ Provider: 'consul', Config: { PrivateKeyType: 'rsa', PrivateKeyBits: 2048 } }),
  });
  expect(response.status).toBe(200);
  // Consul spreads the renewals after a change of authority over half a minute.
  const renewed = (): Identity | undefined =>
    watch.latest && watch.latest.serial !== first.serial ? watch.latest : undefined;
  const second = await eventually('a new certificate', renewed, { within: 60_000 });
  expect(second.uri).toBe(first.uri);
  // The new one is trusted by who knows the new authorities, and it trusts who has not changed yet.
  expect(await call(await listen(second), 'rides', second)).toBe(first.uri);
});
