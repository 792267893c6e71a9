import { X509Certificate } from 'node:crypto';
import { eventually } from '@quorate/testbed';
import { bedTest } from '@quorate/testbed/vitest';
import { expect } from 'vitest';
import { type Identity, Mesh } from '../src/index.ts';
import { call, listen } from './mutual-tls.ts';

const test = bedTest({ consul: 1 });

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

test('while the authority changes, who has a certificate of the old one and who has one of the new one trust each other', async ({
  bed,
}) => {
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
