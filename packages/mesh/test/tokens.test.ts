import { eventually } from '@quorate/testbed';
import { bedTest } from '@quorate/testbed/vitest';
import { describe, expect } from 'vitest';
import { defaults, type KvEntry, Mesh, policies, proxyDefaults, resolver, splitter } from '../src/index.ts';
import { codeOf, freePort } from './http-service.ts';

/** May do all. The testbed asks without a token whether the servers are ready, so it is the agent's default as well. */
const management = '0a0a0a0a-1111-2222-3333-444444444444';

const acl = {
  enabled: true,
  default_policy: 'deny',
  tokens: { initial_management: management, agent: management, default: management },
};
const test = bedTest({ consul: { servers: 1, config: { acl } }, envoy: true });

let policiesMade = 0;

/** A mesh whose token has these rules and no others. */
async function allowed(url: string, ...rules: readonly string[]): Promise<Mesh> {
  policiesMade += 1;
  const name = `policy-${process.pid}-${policiesMade}`;
  const put = async (path: string, body: object): Promise<{ SecretID: string }> => {
    const headers = { 'x-consul-token': management };
    const response = await fetch(`${url}/v1/acl/${path}`, { method: 'PUT', headers, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(await response.text());
    return (await response.json()) as { SecretID: string };
  };
  await put('policy', { Name: name, Rules: rules.join('\n') });
  const { SecretID: token } = await put('token', { Policies: [{ Name: name }] });
  return new Mesh({ address: url, token });
}

test('a token of service A cannot register B', async ({ bed }) => {
  const mesh = await allowed(bed.consul.url, policies.register('a'));
  await using instance = await mesh.register({ name: 'a', port: 1, sidecar: { port: await freePort() } });
  await instance.maintenance('to try it');
  await instance.endMaintenance();
  const error = await mesh.register({ name: 'b', port: 2 }).catch((error) => error);
  expect(error.code).toBe('permission-denied');
  expect(error.message).toMatch(/register b-[^ ]+-2: .*lacks permission 'service:write' on "b"/);
  expect(await codeOf(mesh.register({ name: 'a', id: 'x', port: 3 }).then((other) => other.deregister()))).toEqual({
    resolved: undefined,
  });
});

test('a token that nobody knows: refused at once, by name', async ({ bed }) => {
  const unknown = new Mesh({ address: bed.consul.url, token: 'deadbeef-0000-0000-0000-000000000000' });
  const calls = [unknown.instances('a'), unknown.watch('a').next(), unknown.kv.get('x'), unknown.session()];
  expect(await Promise.all(calls.map(codeOf))).toEqual(Array(4).fill('permission-denied'));
  const begin = performance.now();
  await expect(unknown.register({ name: 'a', port: 1 })).rejects.toThrow('ACL not found');
  expect(performance.now() - begin).toBeLessThan(2_000);
});

test('what a token may not see is refused, and not left out of the answer', async ({ bed }) => {
  const owner = await allowed(bed.consul.url, policies.register('hidden'));
  await using _ = await owner.register({ name: 'hidden', port: 1, checks: [] });
  const stranger = await allowed(bed.consul.url, policies.discover('other'));
  await new Mesh({ address: bed.consul.url, token: management }).kv.set('hidden/a', 'x');
  const asked = [stranger.instances('hidden'), stranger.services(), stranger.kv.keys('hidden/'), stranger.kv.keys('')];
  expect(await Promise.all(asked.map(codeOf))).toEqual(asked.map(() => 'permission-denied'));
});

describe('the policies: each is enough for what it is for, and no other one is', () => {
  const all = (mesh: Mesh): Readonly<Record<string, () => Promise<unknown>>> => ({
    register: async () => (await mesh.register({ name: 'p', port: 7 })).deregister(),
    discover: () => mesh.instances('known'),
    identity: () => mesh.authority.identity('q'),
    intentions: () => mesh.intentions.deny('x', 'r'),
    config: () => mesh.config.put(splitter('s', [{ weight: 100 }])),
    proxyDefaults: () => mesh.config.put(proxyDefaults({})),
    kv: () => mesh.kv.set('t/1', 'x'),
    session: async () => (await mesh.session()).destroy(),
  });
  const rules: Readonly<Record<string, string>> = {
    register: policies.register('p'),
    discover: policies.discover('known'),
    intentions: policies.intentions('r'),
    config: policies.config('s'),
    proxyDefaults: policies.proxyDefaults(),
    kv: policies.kv('t/'),
    session: policies.session(),
    // Last: once an agent has a certificate, it gives it to every token that it knows.
    identity: policies.identity('q'),
  };

  test('a table of all against all', async ({ bed }) => {
    const manager = new Mesh({ address: bed.consul.url, token: management });
    await manager.config.put(defaults('s', { protocol: 'http' }));
    await using _ = await manager.register({ name: 'known', port: 1, checks: [] });
    const works: Record<string, string[]> = {};
    for (const [name, rule] of Object.entries(rules)) {
      const mesh = await allowed(bed.consul.url, rule);
      works[name] = [];
      for (const [operation, run] of Object.entries(all(mesh))) {
        const code = await run().then(
          () => 'done',
          (error) => error.code,
        );
        expect(['done', 'permission-denied'], `${operation} with the policy of ${name}`).toContain(code);
        if (code === 'done') works[name].push(operation);
      }
    }
    expect(works).toEqual(Object.fromEntries(Object.keys(rules).map((name) => [name, [name]])));
  });

  test('reading alone', async ({ bed }) => {
    const mesh = await allowed(bed.consul.url, policies.readKv('u/'), policies.readIntentions('v'));
    const entry: KvEntry | undefined = await mesh.kv.get('u/none');
    expect(entry).toBeUndefined();
    expect(await codeOf(mesh.kv.set('u/none', 'x'))).toBe('permission-denied');
    expect(await mesh.intentions.list()).toEqual([]);
    expect(await codeOf(mesh.intentions.allow('x', 'v'))).toBe('permission-denied');
    const config = await allowed(bed.consul.url, policies.config('w', 'elsewhere'));
    await config.config.put(resolver('w', { redirect: { service: 'elsewhere' } }));
  });

  test('what could say more than it seems is no name and no prefix', () => {
    expect(() => policies.kv('a" { policy = "write" } key_prefix "')).toThrow('prefix: expected');
    expect(() => policies.register('a" {')).toThrow('service: expected');
  });
});

test('a sidecar with the token of its service gets its configuration; one with another token does not', async ({
  bed,
}) => {
  const envoy = bed.envoy.program;
  const mesh = await allowed(bed.consul.url, policies.register('cab'), policies.sidecar('cab'));
  await using instance = await mesh.register({ name: 'cab', port: 1, sidecar: { port: await freePort() } });
  await using sidecar = await mesh.startSidecar(instance, { envoy, concurrency: 1, drain: 0 });
  expect(sidecar.state).toBe('ready');
  const stranger = await allowed(bed.consul.url, policies.sidecar('bus'));
  const failed = stranger.startSidecar(instance, { envoy, concurrency: 1, startWithin: '2s' });
  await expect(failed).rejects.toThrow(/was not ready within 2000 ms\. Its last lines:.*[Pp]ermission ?[Dd]enied/s);
});

test('a token that is deleted while it is in use: told, and the last good answer kept', async ({ bed }) => {
  const manager = new Mesh({ address: bed.consul.url, token: management });
  await manager.kv.set('x/a', '1');
  const mesh = await allowed(bed.consul.url, policies.readKv('x/'));
  await using watch = mesh.kv.watch('x/a');
  await watch.next();
  const headers = { 'x-consul-token': management };
  const listed = await (await fetch(`${bed.consul.url}/v1/acl/tokens`, { headers })).json();
  const [own] = (listed as { AccessorID: string; Policies?: { Name: string }[] }[]).filter(({ Policies }) =>
    Policies?.some(({ Name }) => Name === `policy-${process.pid}-${policiesMade}`),
  );
  await fetch(`${bed.consul.url}/v1/acl/token/${own?.AccessorID}`, { method: 'DELETE', headers });
  await manager.kv.set('x/a', '2');
  await eventually('it is told', () => watch.failure);
  expect(await codeOf(Promise.reject(watch.failure))).toBe('permission-denied');
  // The question that was open when the token was deleted may still have been answered.
  expect(watch.latest?.value.toString()).toMatch(/^[12]$/);
});
