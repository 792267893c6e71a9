import { once } from 'node:events';
import { inspect } from 'node:util';
import { QuorateError } from '@quorate/core';
import { eventually, History, Relay, Testbed } from '@quorate/testbed';
import { expect, onTestFinished, test } from 'vitest';
import { defaults, Mesh, type Schema } from '../src/index.ts';
import { codeOf, freePort, HttpService } from './http-service.ts';
import { shared } from './town.ts';

const { consul } = shared();

interface Zone {
  readonly cabs: number;
}

const zone: Schema<Zone> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) =>
      typeof (value as Zone)?.cabs === 'number'
        ? { value: value as Zone }
        : { issues: [{ message: 'expected a number', path: ['cabs'] }] },
  },
};

test('bytes come back as they went, also none, and also under keys with slashes', async () => {
  const { kv } = new Mesh({ address: consul });
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
  await kv.set('deep/down/ünder a key?', bytes);
  expect((await kv.get('deep/down/ünder a key?'))?.value).toEqual(bytes);
  await kv.set('deep/empty', '');
  expect((await kv.get('deep/empty'))?.value).toHaveLength(0);
  // A slash at the end makes another key, and dots among other characters are nothing special.
  const odd = ['deep/...', 'deep/.hidden', 'deep/empty/'];
  for (const key of odd) await kv.set(key, key);
  for (const key of odd) expect(await kv.get(key)).toMatchObject({ key, value: Buffer.from(key) });
  expect(await kv.keys('deep/')).toEqual(['deep/...', 'deep/.hidden', 'deep/down/ünder a key?', 'deep/empty', odd[2]]);
  expect(await kv.keys('')).toContain('deep/empty');
  await kv.delete('deep/', { recursive: true });
  expect([await kv.get('deep/empty'), await kv.keys('deep/')]).toEqual([undefined, []]);
});

test('compare-and-set: of many that add one at once no addition is lost', async () => {
  const mesh = new Mesh({ address: consul });
  const counter = mesh.kv.cell<number>('counter');
  await Promise.all(Array.from({ length: 20 }, () => counter.update((value = 0) => value + 1)));
  const read = await counter.get();
  expect(read?.value).toBe(20);
  // The same once more cannot succeed: retry leaves it alone.
  await expect(counter.set(7, { ifIndex: 0n })).rejects.toMatchObject({
    code: 'conflict',
    retryable: false,
    happened: 'no',
  });
  expect(await codeOf(mesh.kv.delete('counter', { ifIndex: (read?.index ?? 0n) - 1n }))).toBe('conflict');
  await counter.set(21, { ifIndex: read?.index ?? 0n });
});

test('a typed cell refuses what is not valid on the way in and on the way out, and says where', async () => {
  const { kv } = new Mesh({ address: consul });
  const cell = kv.cell('zone', zone);
  await expect(cell.set({ cabs: 'many' } as never)).rejects.toThrow(
    'zone: expected a valid value (cabs: expected a number)',
  );
  expect(await cell.get()).toBeUndefined();
  // Without a schema it would be stored as an empty object.
  expect(await codeOf(kv.cell('zone').update(async () => ({ cabs: 1 })))).toBe('invalid-argument');
  expect(await cell.get()).toBeUndefined();
  await kv.set('zone', '{"cabs":"many"}');
  expect(await codeOf(cell.get())).toBe('invalid-value');
  await kv.set('zone', 'a secret');
  const error = await cell.get().catch((error) => error);
  expect([error.code, inspect(error, { depth: 20 })]).toEqual(['invalid-value', expect.not.stringContaining('secret')]);
});

test('a watch whose first value is a bad one ends with the error', async () => {
  const { kv } = new Mesh({ address: consul });
  await kv.set('bad at first', '{}');
  await using watch = kv.cell('bad at first', zone).watch();
  await expect(watch.next()).rejects.toMatchObject({ code: 'invalid-value' });
  expect((await watch.next()).done).toBe(true);
});

test('a watch yields each change, and keeps the last good value when a bad one comes', async () => {
  const { kv } = new Mesh({ address: consul });
  const cell = kv.cell('watched', zone);
  await using watch = cell.watch();
  expect((await watch.next()).value).toBeUndefined();
  await cell.set({ cabs: 1 });
  expect((await watch.next()).value).toMatchObject({ value: { cabs: 1 } });
  await kv.set('watched', '{}');
  await eventually('it is told', () => watch.failure);
  expect(await codeOf(Promise.reject(watch.failure))).toBe('invalid-value');
  expect(watch.latest).toMatchObject({ value: { cabs: 1 } });
  await cell.set({ cabs: 2 });
  expect((await watch.next()).value).toMatchObject({ value: { cabs: 2 } });
  expect(watch.failure).toBeUndefined();
});

test('a session holds a key against others until it is destroyed', async () => {
  const mesh = new Mesh({ address: consul });
  const [mine, theirs] = [await mesh.session({ lockDelay: 0 }), await mesh.session({ lockDelay: 0 })];
  await mesh.kv.set('held', 'mine', { acquire: mine });
  expect(await codeOf(mesh.kv.set('held', 'theirs', { acquire: theirs }))).toBe('conflict');
  expect((await mesh.kv.get('held'))?.session).toBe(mine.id);
  await mine.destroy();
  expect(mine.lost.reason).toMatchObject({ code: 'session-lost' });
  await mesh.kv.set('held', 'theirs', { acquire: theirs });
  await mesh.kv.set('held', 'given back', { release: theirs });
  expect((await mesh.kv.get('held'))?.session).toBeUndefined();
  await theirs.destroy();
});

test('a session whose end has failed can be destroyed again', async () => {
  let ends = 0;
  await using agent = await HttpService.start((request, response) => {
    response.setHeader('content-type', 'application/json');
    if (request.url?.includes('/session/create')) return response.end('{"ID":"s"}');
    ends += 1;
    response.writeHead(ends === 1 ? 500 : 200).end('true');
  });
  const session = await new Mesh({ address: agent.url }).session();
  expect(await codeOf(session.destroy())).toBe('consul-error');
  await session.destroy();
  await session.destroy();
  expect(ends).toBe(2);
});

test('a session that the servers have ended is lost, at its next sign of life', async () => {
  const mesh = new Mesh({ address: consul });
  await using session = await mesh.session({ ttl: '10s' });
  await fetch(`${consul}/v1/session/destroy/${session.id}`, { method: 'PUT' });
  if (!session.lost.aborted) await once(session.lost, 'abort', { signal: AbortSignal.timeout(8_000) });
  expect(session.lost.reason.message).toContain('no longer knows it');
});

test('a write whose answer is lost is ambiguous, and not sent again', async () => {
  await using agent = await HttpService.start((request) => request.socket.destroy());
  const { kv } = new Mesh({ address: agent.url });
  expect(await codeOf(kv.set('a', '1', { ifIndex: 7n }))).toBe('ambiguous');
  expect(await codeOf(kv.delete('a'))).toBe('ambiguous');
  expect(agent.requests).toBe(2);
  await expect(kv.get('a')).rejects.toMatchObject({ code: 'agent-unreachable', retryable: true, happened: 'unknown' });
  const nobody = new Mesh({ address: `http://127.0.0.1:${await freePort()}` });
  await expect(nobody.kv.delete('a')).rejects.toMatchObject({ code: 'agent-unreachable', happened: 'no' });
});

test('a delete whose answer is lost is done once, and a history knows no more than its client', async () => {
  const bed = await Testbed.start();
  onTestFinished(() => bed.stop());
  const link = bed.introduce('consul', Number(new URL(consul).port)).link('deleter', 'consul');
  const { kv } = new Mesh({ address: `http://${await link.address}`, timeout: '1h' });
  const others = new Mesh({ address: consul }).kv;
  await others.set('ride', 'first');
  await kv.get('ride');
  const history = new History();
  await link.set({ blackHole: 'consul' });
  const deleting = codeOf(history.run('deleter', 'delete', { key: 'ride' }, () => kv.delete('ride')));
  await eventually('it is deleted', async () => (await others.get('ride')) === undefined);
  await others.set('ride', 'second');
  await link.reset();
  await link.heal();
  expect(await deleting).toBe('ambiguous');
  expect(history.operations).toMatchObject([{ op: 'delete', outcome: 'ambiguous' }]);
  expect((await others.get('ride'))?.value.toString()).toBe('second');
});

test.for<[argument: string, call: (mesh: Mesh) => Promise<unknown>]>([
  ['prefix', ({ kv }) => kv.keys(undefined as never)],
  ['value', ({ kv }) => kv.set('a', 1 as never)],
  ['value', ({ kv }) => kv.set('a', Buffer.alloc(600_000))],
  ['options.ifindex', ({ kv }) => kv.set('a', 'b', { ifindex: 0n } as never)],
  ['options.recursiv', ({ kv }) => kv.delete('a', { recursiv: true } as never)],
  ...[Number.NaN, 7, '7', null, -1n, 2n ** 64n].flatMap((ifIndex): [string, (mesh: Mesh) => Promise<unknown>][] => [
    ['ifIndex', ({ kv }) => kv.set('a', 'b', { ifIndex } as never)],
    ['ifIndex', ({ kv }) => kv.delete('a', { ifIndex } as never)],
    ['ifIndex', ({ kv }) => kv.cell('a').set('b', { ifIndex } as never)],
  ]),
  ['recursive', ({ kv }) => kv.delete('a', { recursive: 'false' } as never)],
  ['acquire', ({ kv }) => kv.set('a', 'b', { acquire: 'a session' } as never)],
  ['release', ({ kv }) => kv.set('a', 'b', { release: null } as never)],
  ['a', ({ kv }) => kv.cell('a').set(Promise.resolve(1))],
  ['ttl', (mesh) => mesh.session({ ttl: '1s' })],
  ['name', (mesh) => mesh.session({ name: '\ud800' })],
  ['name', ({ config }) => config.delete('service-defaults', '..')],
  ['name', ({ config }) => config.get('service-defaults', 'a/../b')],
  ['lockDelay', (mesh) => mesh.session({ lockDelay: '2m' })],
])('a bad %s is refused before anything is sent', async ([argument, call]) => {
  await expect(call(new Mesh({ address: 'http://127.0.0.1:1' }))).rejects.toThrow(`${argument}: expected`);
});

test('what Consul would read as another key, or as none, is refused before anything is sent', async () => {
  const { kv } = new Mesh({ address: 'http://127.0.0.1:1' });
  const bad = ['/a', '.', '..', 'a/..', 'a/../b', 'a/./b', './a', 'a//b', 'a//', 'x\ny', 'a\u00a0b', '\ud800'];
  for (const key of ['', ...bad]) {
    const calls: Readonly<Record<string, () => unknown>> = {
      get: () => kv.get(key),
      set: () => kv.set(key, 'x'),
      delete: () => kv.delete(key, { recursive: true }),
      watch: () => kv.watch(key),
      cell: () => kv.cell(key),
    };
    for (const [name, call] of Object.entries(calls)) {
      expect(await codeOf((async () => call())()), `${name} ${JSON.stringify(key)}`).toBe('invalid-argument');
    }
  }
  for (const prefix of bad) expect(await codeOf(kv.keys(prefix)), JSON.stringify(prefix)).toBe('invalid-argument');
});

test('a write that was sent and then aborted is ambiguous, whatever the reason says; one that was not is not', async () => {
  let hold = false;
  await using relay = await Relay.to(new URL(consul).host, () => ({
    answer: () => {
      if (!hold) return 'pass';
      hold = false;
      return 'hold';
    },
  }));
  const mesh = new Mesh({ address: `http://${relay.address}` });
  // Somebody has learnt that it must stop.
  const reason = new QuorateError('stop', { code: 'fenced', happened: 'no', retryable: true });
  const writes: Readonly<Record<string, (signal: AbortSignal) => Promise<unknown>>> = {
    set: (signal) => mesh.kv.set('aborted', '1', { signal }),
    delete: (signal) => mesh.kv.delete('aborted', { signal }),
    session: (signal) => mesh.session({ signal }),
    put: (signal) => mesh.config.put(defaults('aborted', { protocol: 'http' }), { signal }),
    remove: (signal) => mesh.config.delete('service-defaults', 'aborted', { signal }),
    allow: (signal) => mesh.intentions.allow('a', 'aborted', { signal }),
    forbid: (signal) => mesh.intentions.remove('a', 'aborted', { signal }),
    register: (signal) => mesh.register({ name: 'aborted', port: 1, checks: [] }, { signal }),
  };
  for (const [name, write] of Object.entries(writes)) {
    const abort = new AbortController();
    hold = true;
    const writing = write(abort.signal);
    const failed = expect(writing, name).rejects.toMatchObject({ code: 'ambiguous', retryable: false, cause: reason });
    await eventually(`${name} was answered`, () => !hold);
    abort.abort(reason);
    await failed;
    await expect(write(abort.signal), name).rejects.toBe(reason);
  }
  expect(await mesh.instances('aborted')).toEqual([]);
  const abort = new AbortController();
  hold = true;
  const reading = mesh.kv.get('aborted', { signal: abort.signal });
  const failed = expect(reading).rejects.toBe(reason);
  await eventually('the read was answered', () => !hold);
  abort.abort(reason);
  await failed;
});
