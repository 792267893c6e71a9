import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Mesh } from '@quorate/mesh';
import { bedTest } from '@quorate/testbed/vitest';
import { describe, expect, onTestFinished } from 'vitest';
import { call, inOwnFolder, outcome, quorate } from './quorate.ts';

inOwnFolder();

const test = bedTest({ consul: 1 });

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'quorate-mesh-cli-'));
  onTestFinished(() => rm(made, { recursive: true }));
  return made;
}

describe('quorate sidecar bootstrap', () => {
  test('prints what Envoy needs, or writes it where only its owner can read it', async ({ bed }) => {
    const mesh = new Mesh({ address: bed.consul.url });
    await using _ = await mesh.register({ name: 'query', id: 'query-8080', port: 8080, sidecar: { port: 21_500 } });
    const env = { QUORATE_CONSUL: bed.consul.url, QUORATE_CONSUL_TOKEN: 'from-the-environment' };
    const { status, out } = await call(['sidecar', 'bootstrap', 'query-8080', '--admin', '127.0.0.1:19007'], env);
    expect(status).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      node: { id: 'query-8080-sidecar-proxy', cluster: 'query' },
      admin: { address: { socket_address: { port_value: 19_007 } } },
    });
    expect(out).toContain('from-the-environment');
    const file = join(await folder(), 'bootstrap.json');
    await writeFile(file, 'older', { mode: 0o644 });
    const written = await call(['sidecar', 'bootstrap', 'query-8080-sidecar-proxy', '--out', file], env);
    expect(written).toMatchObject({ status: 0, out: '' });
    expect(JSON.parse(await readFile(file, 'utf8')).node.id).toBe('query-8080-sidecar-proxy');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  test('waits for an instance that is not there yet; without, it says that it is not', async ({ bed }) => {
    const mesh = new Mesh({ address: bed.consul.url });
    const at = ['--consul', bed.consul.url];
    const early = await call(['sidecar', 'bootstrap', 'late-1', ...at]);
    expect(early).toMatchObject({ status: 1, out: '' });
    expect(early.err).toContain('read late-1-sidecar-proxy: Consul answered 404');
    const waiting = quorate(['sidecar', 'bootstrap', 'late-1', '--wait', '30', ...at]);
    await using _ = await mesh.register({ name: 'late', id: 'late-1', port: 1, sidecar: { port: 21_501 } });
    expect((await outcome(waiting)).status).toBe(0);
    const never = await call(['sidecar', 'bootstrap', 'never-1', '--wait', '0.5', ...at]);
    expect(never).toMatchObject({ status: 1 });
    expect(never.err).toContain('404');
  });

  test.for<[args: string[], message: string, status: number]>([
    [['sidecar', 'bootstrap'], "missing required argument 'id'", 2],
    [
      ['sidecar', 'bootstrap', 'a', '--wait', 'long'],
      'Expected seconds, or a time such as 500ms, 30s or 5m: from 0',
      2,
    ],
    [['sidecar', 'bootstrap', 'a', '--token-file', '/nowhere'], '--token-file: expected a file that can be read', 2],
    [['sidecar', 'bootstrap', 'a', '--consul', 'here'], 'address: expected a URL', 2],
    [['sidecar', 'bootstrap', 'a', '--consul', 'http://127.0.0.1:1'], 'refuses connections', 1],
  ])('%j', async ([args, message, status]) => {
    const result = await call(args);
    expect(result.err).toContain(message);
    expect(result.status).toBe(status);
  });
});

describe('quorate inspect services', () => {
  test('lists services by how well they are, the instances of one, and all of it as JSON', async ({ bed }) => {
    const mesh = new Mesh({ address: bed.consul.url });
    await using _1 = await mesh.register({
      name: 'rides',
      id: 'rides-1',
      port: 1,
      tags: ['v1'],
      weights: { passing: 3 },
    });
    await using two = await mesh.register({ name: 'rides', id: 'rides-2', port: 2, tags: ['v2'] });
    await two.maintenance('on purpose');
    const at = ['--consul', bed.consul.url];
    const all = await call(['inspect', 'services', ...at]);
    expect(all.out).toMatch(/^SERVICE +PASSING +WARNING +CRITICAL +MAINTENANCE +TAGS\n/);
    expect(all.out).toMatch(/\nrides +1 +0 +0 +1 +v1,v2\n/);
    const one = await call(['inspect', 'services', 'rides', ...at]);
    expect(one.out).toMatch(/\nrides-1 +127\.0\.0\.1:1 +passing +3 +consul-1 +v1\n/);
    expect(one.out).toMatch(/\nrides-2 +127\.0\.0\.1:2 +maintenance +0 +consul-1 +v2\n/);
    const { out } = await call(['inspect', 'services', '--json', ...at]);
    expect(JSON.parse(out).rides.map(({ id }: { id: string }) => id)).toEqual(['rides-1', 'rides-2']);
    expect(await call(['inspect', 'services', 'nobody', ...at])).toMatchObject({ status: 1 });
  });
});

test.for([['sidecar'], ['sidecar', 'bootstrap'], ['inspect'], ['inspect', 'services']])(
  '%s has help with examples',
  async (command) => {
    const { status, out } = await call([...command, '--help']);
    expect(status).toBe(0);
    expect(out).toMatch(/Examples:\n {2}\$ /);
  },
);
