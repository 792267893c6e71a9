import { eventually } from '@quorate/testbed';
import { bedTest } from '@quorate/testbed/vitest';
import { expect } from 'vitest';
import { type Identity, Mesh } from '../src/index.ts';
import { call, listen } from './mutual-tls.ts';

// Consul spreads renewals after a change of authority over half a minute, unless a test tells it not to.
const config = { connect: { enabled: true, test_ca_leaf_root_change_spread: '1ms' } };
const test = bedTest({ consul: { servers: 1, config } });

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

test('a new authority: the watch brings a certificate of it, and old and new ones trust each other', async ({
  bed,
}) => {
  const mesh = new Mesh({ address: bed.consul.url });
  await using watch = mesh.authority.watch('rides');
  const first = (await watch.next()).value as Identity;
  const [old] = (await mesh.authority.roots()).roots;
  const response = await fetch(`${bed.consul.url}/v1/connect/ca/configuration`, {
    method: 'PUT',
    body: JSON.stringify({ Provider: 'consul', Config: { PrivateKeyType: 'rsa', PrivateKeyBits: 2048 } }),
  });
  expect(response.status).toBe(200);
  const renewed = (): Identity | undefined =>
    watch.latest && watch.latest.serial !== first.serial ? watch.latest : undefined;
  const second = await eventually('a new certificate', renewed, { within: 60_000 });
  expect(second.uri).toBe(first.uri);
  const { roots } = await mesh.authority.roots();
  expect(roots.find(({ active }) => active)?.id).not.toBe(old?.id);
  expect(roots.map(({ id }) => id)).toContain(old?.id);
  // Who has changed, and who has not yet: each trusts the other, whoever calls.
  const [before, after] = [await listen(first), await listen(second)];
  for (const [port, caller] of [
    [after, second],
    [after, first],
    [before, second],
    [before, first],
  ] as const) {
    expect(await call(port, 'rides', caller)).toBe(first.uri);
  }
});
