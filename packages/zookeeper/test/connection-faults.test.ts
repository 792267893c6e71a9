import { tracingChannel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { QuorateError } from '@quorate/core';
import { eventually, type Link, Relay, Testbed } from '@quorate/testbed';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ConnectOptions, connect, type State, type TracedRequest, type ZooKeeper } from '../src/index.ts';
import { op } from '../src/protocol/op-codes.ts';
import { codeOf } from './conformance.ts';
import { rings } from './rings.ts';

// Short ticks, so that sessions may be short: what is tested is proportions.
const sessionTimeout = 1_500;

/** Of a server's first answer, in bytes. */
const handshakeLength = 41;

let bed: Testbed & { zookeeper: { url: string } };

beforeAll(async () => {
  bed = await Testbed.start({ zookeeper: { members: 1, config: { tickTime: 100 } } });
});
afterAll(() => bed?.[Symbol.asyncDispose]());

let links = 0;
let places = 0;

/** A way to the server of a client's own. */
function newLink(): Link {
  links += 1;
  return bed.link(`client-${links}`, 'zookeeper-1');
}

interface Subject extends AsyncDisposable {
  readonly link: Link;
  readonly zk: ZooKeeper;
  /** A session that no fault touches. */
  readonly other: ZooKeeper;
}

/** In a place of its own, where there is a node `/f`. */
async function subject(options: ConnectOptions = {}): Promise<Subject> {
  const stack = new AsyncDisposableStack();
  const link = newLink();
  places += 1;
  const place = `/place-${places}`;
  const other = stack.use(await connect(`${bed.zookeeper.url}${place}`));
  await other.create('/f', 'data', { parents: true });
  const zk = await connect(`${await link.address}${place}`, { sessionTimeout, ...options });
  stack.defer(async () => {
    await zk.close({ signal: AbortSignal.timeout(200) });
  });
  return { link, zk, other, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** When the session next comes to a state. */
async function comesTo(zk: ZooKeeper, wanted: State): Promise<number> {
  if (zk.state === wanted) return performance.now();
  for await (const state of zk.states()) if (state === wanted) return performance.now();
  throw new Error(`the session was over before it was ${wanted}`);
}

test.concurrent.each(['what we send', 'what we are sent', 'both ways'] as const)(
  'a black hole for %s: suspended at two thirds of the session timeout, lost at it',
  async (what) => {
    await using s = await subject({ sessionTimeout: 2_000 });
    const timeout = s.zk.sessionTimeout;
    expect(timeout).toBe(2_000);
    await s.zk.create('/f/e', '', { mode: 'ephemeral' });
    const stalls = monitorEventLoopDelay({ resolution: 1 });
    stalls.enable();
    const last = performance.now();
    await s.zk.get('/f');
    await s.link.set({ blackHole: what === 'both ways' || s.link.parties[what === 'what we send' ? 0 : 1] });
    const gone = new Promise<number>(
      (resolve) => void s.other.exists('/f/e', { watch: () => resolve(performance.now()) }),
    );
    const over = once(s.zk.lost, 'abort').then(() => performance.now());
    const [atTwoThirds, atAll] = [rings(last + (2 / 3) * timeout), rings(last + timeout)];
    expect(Math.abs((await comesTo(s.zk, 'suspended')) - (await atTwoThirds))).toBeLessThan(timeout / 20);
    const lostAt = await over;
    expect(Math.abs(lostAt - (await atAll))).toBeLessThan(timeout / 20);
    // The promise that matters: no other client can see our node gone before we know, unless our process stands still.
    const seenAt = await gone;
    stalls.disable();
    expect(lostAt - stalls.max / 1e6).toBeLessThanOrEqual(seenAt);
    expect(s.zk.state).toBe('lost');
    expect(s.zk.lost.reason).toMatchObject({ code: 'session-lost' });
  },
);

test.concurrent('over a slow network it counts from when a request was sent, not from when its answer came', async () => {
  await using s = await subject({ sessionTimeout: 2_000 });
  await s.zk.create('/f/slow', '', { mode: 'ephemeral' });
  await s.link.set({ latencyMs: 300 });
  const last = performance.now();
  await s.zk.get('/f');
  await s.link.set({ blackHole: true });
  const gone = new Promise<number>(
    (resolve) => void s.other.exists('/f/slow', { watch: () => resolve(performance.now()) }),
  );
  const over = once(s.zk.lost, 'abort').then(() => performance.now());
  const atAll = rings(last + 2_000);
  const lostAt = await over;
  expect(Math.abs(lostAt - (await atAll))).toBeLessThan(100);
  expect(lostAt).toBeLessThanOrEqual(await gone);
});

test('a reset connection is made again, with the same session and its ephemeral nodes', async () => {
  await using s = await subject();
  const { id } = s.zk;
  await s.zk.create('/f/e', '', { mode: 'ephemeral' });
  for (let i = 0; i < 5; i += 1) {
    const suspended = comesTo(s.zk, 'suspended');
    await s.link.reset();
    await suspended;
    await comesTo(s.zk, 'connected');
  }
  expect(s.zk.id).toBe(id);
  expect((await s.zk.get('/f/e')).stat.ephemeralOwner).toBe(id);
});

test('half a frame of the old connection never meets the new one', async () => {
  await using s = await subject({ sessionTimeout: 10_000 });
  for (const keep of [1, 3, 5, 40]) {
    const suspended = comesTo(s.zk, 'suspended');
    await s.link.set({ cut: { afterBytes: keep, from: 'zookeeper-1' } });
    const reading = s.zk.get('/f');
    await suspended;
    await s.link.heal();
    expect((await reading).data.toString()).toBe('data');
  }
});

test('the reply of a protected or sequential create is lost: exactly one node, and the caller gets it', async () => {
  await using s = await subject();
  for (const options of [
    { mode: 'ephemeral-sequential' },
    { mode: 'persistent', protected: true },
    { mode: 'persistent-sequential' },
  ] as const) {
    await s.link.set({ blackHole: 'zookeeper-1' });
    const creating = s.zk.create('/f/n-', 'mine', options);
    await eventually('the server has done it', async () => (await s.other.children('/f')).names.length > 0, {
      every: 5,
    });
    await s.link.reset();
    await s.link.heal();
    const { path, stat } = await creating;
    const { names } = await s.other.children('/f');
    expect(names.map((name) => `/f/${name}`)).toEqual([path]);
    expect(path).toMatch(/^\/f\/_c_[0-9a-f-]{36}-n-/);
    expect(stat.ephemeralOwner).toBe(options.mode.startsWith('ephemeral') ? s.zk.id : 0n);
    await s.zk.delete(path);
  }
});

test('a create that was done does not say that nothing happened when its parent was deleted with it', async () => {
  await using s = await subject();
  await s.other.create('/f/batch');
  await s.link.set({ blackHole: 'zookeeper-1' });
  const creating = s.zk.create('/f/batch/n-', '', { mode: 'persistent-sequential' });
  creating.catch(() => undefined);
  await eventually('the server has done it', async () => (await s.other.children('/f/batch')).names.length > 0, {
    every: 5,
  });
  await s.other.delete('/f/batch', { recursive: true });
  await s.link.reset();
  await s.link.heal();
  await expect(creating).rejects.toMatchObject({ code: 'no-node', happened: 'unknown' });
});

test.each([
  ['for its reply', true],
  ['for its reply, unmarked', false],
  ['for the look', true],
  ['for its repetition', true],
] as const)(
  'a create that others have seen is aborted: it does not say that nothing happened, though the reason does: while it waits %s',
  async (when, marked) => {
    await using s = await subject();
    const requests = tracingChannel<TracedRequest, TracedRequest>('quorate.zookeeper.request');
    const controller = new AbortController();
    const { signal } = controller;
    const stop = (): void =>
      controller.abort(new QuorateError('stop', { code: 'fenced', happened: 'no', retryable: true }));
    const asyncEnd = ({ sessionId, operation }: TracedRequest): void => {
      if (when === 'for its repetition' && sessionId === s.zk.id && operation === 'children') stop();
    };
    requests.subscribe({ asyncEnd } as never);
    try {
      await s.link.set({ blackHole: 'zookeeper-1' });
      const creating = s.zk.create('/f/n-', '', { mode: 'persistent-sequential', protected: marked, signal });
      const failed = creating.catch((error: unknown) => error);
      await eventually('there', async () => (await s.other.children('/f')).names.length > 0, { every: 5 });
      for (const name of (await s.other.children('/f')).names) await s.other.delete(`/f/${name}`);
      if (when.startsWith('for its reply')) stop();
      const suspended = comesTo(s.zk, 'suspended');
      await s.link.reset();
      await suspended;
      if (when === 'for the look') stop();
      await s.link.heal();
      expect(await failed).toMatchObject({ code: 'fenced', happened: 'unknown', retryable: false });
    } finally {
      requests.unsubscribe({ asyncEnd } as never);
    }
  },
);

test('a create that made parents and was then refused does not say that nothing happened', async () => {
  await using s = await subject();
  const acl = [{ permissions: ['read'], scheme: 'world', id: 'anyone' }] as const;
  const creating = s.zk.create('/f/closed/n', '', { parents: true, acl });
  await expect(creating).rejects.toMatchObject({ code: 'no-auth', happened: 'unknown' });
  expect(await s.other.exists('/f/closed')).toBeDefined();
  // Now the parent is there: nothing was made.
  const again = s.zk.create('/f/closed/n', '', { parents: true, acl });
  await expect(again).rejects.toMatchObject({ code: 'no-auth', happened: 'no' });
});

test('the create of a parent that never reached the server is done on the next connection, and all below it', async () => {
  let cut = false;
  await using relay = await Relay.to(bed.zookeeper.url, () => ({
    question: (bytes) => {
      if (cut || !isCreateOf(bytes, '/deep')) return;
      cut = true;
      relay.cut();
    },
  }));
  await using zk = await connect(relay.address, { sessionTimeout });
  expect(await zk.create('/deep/a/b', '', { parents: true })).toMatchObject({ path: '/deep/a/b' });
  expect(cut).toBe(true);
});

/** Whether that is all that these bytes ask for: a length, a number, the operation, and the path with its length. */
function isCreateOf(bytes: Buffer, path: string): boolean {
  return (
    bytes.length > 16 &&
    bytes.readInt32BE(8) === op.create &&
    bytes.toString('utf8', 16, 16 + bytes.readInt32BE(12)) === path
  );
}

test('a protected create that never reached the server is done once, on the next connection', async () => {
  await using s = await subject();
  await s.link.set({ blackHole: s.link.parties[0] });
  const creating = s.zk.create('/f/n-', '', { mode: 'ephemeral-sequential' });
  await eventually('it was sent', () => s.link.connections > 0);
  await s.link.reset();
  await s.link.heal();
  const { path } = await creating;
  expect((await s.other.children('/f')).names.map((name) => `/f/${name}`)).toEqual([path]);
});

test('the replies of writes are lost: ambiguous each, and what waited behind them is done', async () => {
  await using s = await subject();
  await s.link.set({ blackHole: 'zookeeper-1' });
  const writes = [
    s.zk.set('/f', 'x'),
    s.zk.create('/f/a'),
    s.zk.delete('/f/none'),
    s.zk.setAcl('/f', [{ permissions: 'all', scheme: 'world', id: 'anyone' }]),
    s.zk.transaction().create('/f/t').commit(),
  ].map(codeOf);
  const reading = s.zk.get('/f');
  await eventually('the server has done them', async () => (await s.other.children('/f')).names.length === 2, {
    every: 5,
  });
  await s.link.reset();
  await s.link.heal();
  expect(await Promise.all(writes)).toEqual(Array(5).fill('ambiguous'));
  expect((await reading).data.toString()).toBe('x');
});

test('what was asked for while suspended is done on the next connection, unchanged by its owner', async () => {
  await using s = await subject();
  const suspended = comesTo(s.zk, 'suspended');
  await s.link.set({ refuse: true });
  await suspended;
  const data = Buffer.from('before');
  const writing = s.zk.set('/f', data);
  data.write('AFTER!');
  const reading = s.zk.get('/f');
  await s.link.heal();
  await writing;
  expect((await reading).data.toString()).toBe('before');
});

test.concurrent('a half-open connection is noticed, and the session lives on over another one', async () => {
  await using s = await subject();
  await s.link.set({ halfOpen: s.link.parties[0] });
  await comesTo(s.zk, 'suspended');
  await s.link.heal();
  await comesTo(s.zk, 'connected');
  expect((await s.zk.get('/f')).data.toString()).toBe('data');
});

test.concurrent('a server that accepts and says nothing does not hold up connecting', async () => {
  const silent: Socket[] = [];
  const server = createServer((socket) => silent.push(socket.on('error', () => undefined).resume()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  for (let i = 0; i < 3; i += 1) {
    await using zk = await connect(`127.0.0.1:${port},${bed.zookeeper.url}`, { sessionTimeout });
    expect(zk.state).toBe('connected');
  }
  await expect(connect(`127.0.0.1:${port}`, { timeout: 300, connectTimeout: 100 })).rejects.toMatchObject({
    code: 'deadline-exceeded',
    message: expect.stringMatching(/no session within 100 ms/),
  });
  await eventually('the silent connections are let go', () =>
    silent.every((socket) => socket.readableEnded || socket.destroyed),
  );
  for (const socket of silent) socket.destroy();
  server.close();
});

test.concurrent('a reply cut at every byte: the read is asked again and the write is ambiguous, never wrong', async () => {
  // Both replies arrive in one stretch that is cut further along each time.
  const setReply = 4 + 16 + 68;
  const getReply = 4 + 16 + 4 + 5 + 68;
  const cuts = Array.from({ length: setReply + getReply + 1 }, (_, cut) => cut);
  // Most of the time is spent until there is another connection: several sessions share the places of the cut.
  const sessions = 4;
  const versions = await Promise.all(
    Array.from({ length: sessions }, async (_, session) => {
      await using s = await subject({ sessionTimeout: 10_000 });
      let version = 0;
      for (const cut of cuts.filter((each) => each % sessions === session)) {
        await s.link.set({ cut: { afterBytes: handshakeLength + cut, from: 'zookeeper-1' } });
        const suspended = comesTo(s.zk, 'suspended');
        await s.link.reset();
        await suspended;
        await comesTo(s.zk, 'connected');
        // The next connection is not to be cut.
        const healed = comesTo(s.zk, 'suspended').then(() => s.link.heal());
        const writing = s.zk.set('/f', `${String(cut).padStart(5, '0')}`).then(
          () => 'done',
          (error) => error.code,
        );
        const reading = s.zk.get('/f');
        const outcome = await writing;
        const { data, stat } = await reading;
        await healed;
        expect(outcome).toBe(cut < setReply ? 'ambiguous' : 'done');
        if (outcome === 'done') expect(data.toString()).toBe(String(cut).padStart(5, '0'));
        expect(stat.version - version).toBeLessThanOrEqual(1);
        version = stat.version;
      }
      return version;
    }),
  );
  expect(versions.reduce((sum, version) => sum + version, 0)).toBeGreaterThan(getReply);
});

test.concurrent('a slow drip of bytes is put together again', async () => {
  await using s = await subject({ sessionTimeout: 10_000 });
  await s.other.set('/f', Buffer.alloc(500, 'x'));
  await s.link.set({ drip: { bytes: 1, everyMs: 1 } });
  const answers = await Promise.all([s.zk.get('/f'), s.zk.children('/'), s.zk.get('/f')]);
  expect(answers[0].data).toHaveLength(500);
  expect(answers[2].data.every((byte) => byte === 120)).toBe(true);
});

test.concurrent('pending requests are rejected when the session is lost, and new ones refused', async () => {
  await using s = await subject();
  await s.link.set({ blackHole: true });
  const [read, write] = [codeOf(s.zk.get('/f')), codeOf(s.zk.set('/f', 'x'))];
  await comesTo(s.zk, 'suspended');
  const [later, laterWrite] = [codeOf(s.zk.get('/f')), codeOf(s.zk.set('/f', 'y'))];
  expect(await Promise.all([read, write, later, laterWrite])).toEqual([
    'session-lost',
    'ambiguous',
    'session-lost',
    'session-lost',
  ]);
  expect(await codeOf(s.zk.get('/f'))).toBe('session-lost');
  await s.zk.close();
  expect(s.zk.state).toBe('lost');
});

test.concurrent('a session that its user closes is closed, and not lost, also where nobody answers', async () => {
  await using s = await subject();
  const states: State[] = [];
  s.zk.on('state', (state) => states.push(state));
  await s.link.set({ blackHole: true });
  await s.zk.close();
  expect(states).toEqual(['suspended', 'closed']);
  expect(s.zk.state).toBe('closed');
  expect(await codeOf(s.zk.get('/f'))).toBe('session-closed');
});

test('what is no signal is refused', async () => {
  await using s = await subject();
  for (const signal of [5, null, {}, new AbortController()] as never[]) {
    await expect(s.zk.get('/f', { signal })).rejects.toMatchObject({ code: 'invalid-argument', argument: 'signal' });
    await expect(s.zk.create('/f/n', '', { signal })).rejects.toMatchObject({ argument: 'signal' });
  }
  expect(await s.other.exists('/f/n')).toBeUndefined();
});

test('the session expired while we were away, and the server says so before our clock does', async () => {
  let password: Buffer | undefined;
  const hear = (bytes: Buffer): 'pass' => {
    if (bytes.length === handshakeLength) password ??= Buffer.from(bytes.subarray(24, 40));
    return 'pass';
  };
  const link = newLink();
  await using relay = await Relay.to(await link.address, () => ({ answer: hear }));
  const zk = await connect(relay.address, { sessionTimeout: 10_000 });
  const lost = comesTo(zk, 'lost');
  const suspended = comesTo(zk, 'suspended');
  await link.set({ refuse: true });
  await suspended;
  const before = performance.now();
  // Closed by another, with the number and the password that the handshake showed it.
  await closeByHand(bed.zookeeper.url, zk.id, password as Buffer);
  await link.heal();
  await lost;
  expect(performance.now() - before).toBeLessThan(9_000);
  expect(String(zk.lost.reason)).toContain('expired');
});

test('time for an attempt comes from the session timeout that was granted, not from the one asked for', async () => {
  const links = ['asked-1', 'asked-2', 'asked-3'].map((name) => bed.link(name, 'zookeeper-1'));
  const servers = await Promise.all(links.map((link) => link.address));
  await using zk = await connect(servers.join(','), { sessionTimeout: 60_000 });
  expect(zk.sessionTimeout).toBe(2_000);
  // The server it comes from is tried last; the others take connections and say nothing.
  const well = links.find((link) => link.connections === 1) as Link;
  await Promise.all(links.filter((link) => link !== well).map((link) => link.set({ blackHole: true })));
  const back = comesTo(zk, 'suspended').then(() => comesTo(zk, 'connected'));
  await well.reset();
  await back;
  expect(zk.lost.aborted).toBe(false);
  expect(well.connections).toBe(1);
});

test('credentials that the servers refuse cost a connection, not the session; without one they wait for it', async () => {
  await using s = await subject();
  const bad = { scheme: 'no-such-scheme', credentials: 'x' };
  expect(await codeOf(s.zk.addAuth(bad))).toBe('auth-failed');
  await comesTo(s.zk, 'connected');
  await s.link.set({ refuse: true });
  await comesTo(s.zk, 'suspended');
  const refused = codeOf(s.zk.addAuth(bad));
  const accepted = s.zk.addAuth({ scheme: 'digest', user: 'ann', password: 'secret' });
  await s.link.heal();
  expect(await refused).toBe('auth-failed');
  await accepted;
  expect((await s.zk.whoAmI()).map(({ scheme }) => scheme)).toContain('digest');
  expect(s.zk.lost.aborted).toBe(false);
});

/** Ends somebody else's session, as an administrator could. */
async function closeByHand(address: string, id: bigint, password: Buffer): Promise<void> {
  const { connect: dial } = await import('node:net');
  const { Writer } = await import('../src/jute/writer.ts');
  const { writeConnectRequest } = await import('../src/protocol/handshake.ts');
  const [host, port] = address.split(':');
  const socket = dial(Number(port), host);
  const writer = new Writer();
  writeConnectRequest(writer, { lastZxid: 0n, timeout: 10_000, sessionId: id, password, readOnly: false });
  const start = writer.beginFrame();
  writer.int(1).int(-11);
  writer.endFrame(start);
  socket.write(writer.take());
  socket.resume();
  await once(socket, 'close');
}

test('a request larger than the server accepts is ambiguous, and the session lives on', async () => {
  await using s = await subject({ maxRequestSize: 4 * 1024 * 1024 });
  expect(await codeOf(s.zk.set('/f', Buffer.alloc(2 * 1024 * 1024)))).toBe('ambiguous');
  expect((await s.zk.get('/f')).data.toString()).toBe('data');
});

test('a reply larger than we accept fails its own read alone', async () => {
  await using s = await subject({ maxReplySize: 10_000 });
  await s.other.create('/f/large', Buffer.alloc(20_000));
  const calls = [codeOf(s.zk.get('/f/large')), s.zk.get('/f').then(({ data }) => data.toString())];
  expect(await Promise.all(calls)).toEqual(['reply-too-large', 'data']);
});

test('closing while suspended ends the session on the server as soon as it can be reached', async () => {
  await using s = await subject({ sessionTimeout: 10_000 });
  await s.zk.create('/f/e', '', { mode: 'ephemeral' });
  const suspended = comesTo(s.zk, 'suspended');
  await s.link.set({ refuse: true });
  await suspended;
  const waiting = codeOf(s.zk.get('/f'));
  const closing = s.zk.close();
  expect(s.zk.lost.aborted).toBe(true);
  expect(await waiting).toBe('session-closed');
  await s.link.heal();
  await closing;
  expect(await s.other.exists('/f/e')).toBeUndefined();
  expect(s.zk.state).toBe('closed');
});

test('what was sent before closing is answered first', async () => {
  await using s = await subject();
  const writing = s.zk.set('/f', 'last words');
  await s.zk.close();
  expect(await writing).toMatchObject({ version: 1 });
});

const hasIPv6 = Object.values(networkInterfaces()).some((each) => each?.some(({ address }) => address === '::1'));

test.runIf(hasIPv6)('connects to an IPv6 address', async () => {
  await using relay = await Relay.to(bed.zookeeper.url, undefined, { host: '::1' });
  expect(relay.address).toMatch(/^\[::1\]:/);
  await using zk = await connect(relay.address);
  expect((await zk.children('/')).names).toContain('zookeeper');
});

test('connects by name, past a server that is not there and a name that is not known', async () => {
  const port = bed.zookeeper.url.split(':')[1];
  await using zk = await connect(`127.0.0.1:1,no-such-host.invalid:2181,localhost:${port}`);
  expect((await zk.children('/')).names).toContain('zookeeper');
  const nowhere = connect('no-such-host.invalid', { timeout: 300 });
  await expect(nowhere).rejects.toThrow('its name could not be resolved');
});

test('connecting that is aborted rejects with the reason and leaves no connection behind', async () => {
  const link = newLink();
  await link.set({ blackHole: link.parties[0] });
  const controller = new AbortController();
  const connecting = connect(await link.address, { signal: controller.signal, connectTimeout: 60_000 });
  await eventually('it is on its way', () => link.connections === 1);
  controller.abort(new Error('enough'));
  await expect(connecting).rejects.toThrow('enough');
  await link.heal();
  await eventually('its connection is gone', () => link.connections === 0);
});
