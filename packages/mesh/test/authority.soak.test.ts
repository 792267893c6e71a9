import { eventually } from '@quorate/testbed';
import { bedTest } from '@quorate/testbed/vitest';
import { expect } from 'vitest';
import { type Identity, Mesh } from '../src/index.ts';
import { call, listen } from './mutual-tls.ts';

const test = bedTest({ consul: 1 });

test('a new authority: the watch brings a certificate of it, and old and new ones trust each other', async ({
  bed,
}) => {
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
  // The new one is trusted by who has not changed yet, and it trusts them.
  const [before, after] = [await listen(first), await listen(second)];
  expect(await call(after, 'rides', first)).toBe(first.uri);
  expect(await call(before, 'rides', second)).toBe(first.uri);
});
