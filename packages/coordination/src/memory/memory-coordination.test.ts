import { spawnSync } from 'node:child_process';
import { isQuorateError } from '@quorate/core';
import type { WatchEvent, ZooKeeper } from '@quorate/zookeeper';
import { expect, test, vi } from 'vitest';
import { Lock } from '../lock.ts';
import { memoryCoordination } from './memory-coordination.ts';

async function codeOf(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return isQuorateError(error) ? error.code : `not one of ours: ${error}`;
}

function heard(zk: ZooKeeper): string[] {
  const states: string[] = [];
  zk.on('state', (state) => states.push(state));
  return states;
}

test('two sessions see one tree, and two ensembles have nothing in common', async () => {
  const memory = memoryCoordination();
  await using one = memory.connect();
  await using two = memory.connect({ sessionTimeout: 4_000 });
  await using stranger = memoryCoordination().connect();
  const { stat } = await one.create('/shared', 'x', { mode: 'ephemeral' });
  expect((await two.get('/shared')).stat).toEqual(stat);
  expect(stat.ephemeralOwner).toBe(one.id);
  expect(two.id).not.toBe(one.id);
  expect([one.sessionTimeout, two.sessionTimeout]).toEqual([10_000, 4_000]);
  expect(await stranger.exists('/shared')).toBeUndefined();
});

test('requests issued together are answered in order: a list sees the create ahead of it', async () => {
  await using zk = memoryCoordination().connect();
  const [, { names }] = await Promise.all([zk.create('/a'), zk.children('/')]);
  expect(names).toEqual(['a']);
});

test('nothing is called back before the call has returned', async () => {
  const memory = memoryCoordination();
  await using zk = memory.connect();
  const states = heard(zk);
  const seen: string[] = [];
  await zk.exists('/a', { watch: ({ type }) => seen.push(type) });
  const creating = codeOf(zk.create('/a').then(() => seen.push('reply')));
  const suspending = memory.suspend(zk);
  expect([seen, states]).toEqual([[], []]);
  await suspending;
  await memory.resume(zk);
  expect(await creating).toBe('ambiguous');
  const again = zk.create('/a').then(() => seen.push('reply'));
  expect(seen).toEqual([]);
  await again;
  expect(seen).toEqual(['created', 'reply']);
});

test('suspended: a write under way is ambiguous and was not done, a read waits, and so does what is asked later', async () => {
  const memory = memoryCoordination();
  await using zk = memory.connect();
  await using other = memory.connect();
  const states = heard(zk);
  const under = [zk.create('/a'), zk.exists('/a')] as const;
  await memory.suspend(zk);
  expect(zk.state).toBe('suspended');
  expect(await codeOf(under[0])).toBe('ambiguous');
  const later = zk.create('/b');
  expect((await other.children('/')).names).toEqual([]);
  expect(zk.lost.aborted).toBe(false);
  await memory.resume(zk);
  expect(zk.state).toBe('connected');
  expect(await under[1]).toBeUndefined();
  await later;
  expect((await other.children('/')).names).toEqual(['b']);
  expect(states).toEqual(['suspended', 'connected']);
});

test('suspended: ephemeral nodes stay, and a wait that is aborted leaves nothing behind', async () => {
  const memory = memoryCoordination();
  await using zk = memory.connect();
  await using other = memory.connect();
  await zk.create('/mine', '', { mode: 'ephemeral' });
  await memory.suspend(zk);
  const controller = new AbortController();
  const creating = zk.create('/late', '', { signal: controller.signal });
  const reason = new Error('enough');
  controller.abort(reason);
  await expect(creating).rejects.toBe(reason);
  await memory.resume(zk);
  await zk.sync('/');
  expect((await other.children('/')).names).toEqual(['mine']);
});

test('resumed: watches tell what they have missed, once, and streams that there is a gap', async () => {
  const memory = memoryCoordination();
  await using zk = memory.connect();
  await using other = memory.connect();
  await zk.create('/a');
  const events: WatchEvent[] = [];
  const watch = (event: WatchEvent): void => void events.push(event);
  await Promise.all([zk.get('/a', { watch }), zk.children('/a', { watch }), zk.exists('/b', { watch })]);
  await using tree = zk.watch('/a', { mode: 'recursive' });
  await tree.ready;
  await memory.suspend(zk);
  await other.transaction().set('/a', 'x').create('/a/x').create('/b').commit();
  await memory.resume(zk);
  expect(events).toEqual([
    { type: 'changed', path: '/a' },
    { type: 'created', path: '/b' },
    { type: 'children', path: '/a' },
  ]);
  // Of the replay it hears what concerns it, and after it that this need not be all.
  expect((await tree.next()).value).toEqual({ type: 'changed', path: '/a' });
  expect((await tree.next()).value).toEqual({ type: 'gap', path: '/a' });
  await other.set('/a/x', 'y');
  expect((await tree.next()).value).toEqual({ type: 'changed', path: '/a/x' });
  expect(events).toHaveLength(3);
});

test('resumed: where nothing was missed, nothing is told', async () => {
  const memory = memoryCoordination();
  await using zk = memory.connect();
  await zk.create('/a/b', '', { parents: true });
  const told: WatchEvent[] = [];
  const watch = (event: WatchEvent): void => void told.push(event);
  await Promise.all([zk.get('/a/b', { watch }), zk.children('/a', { watch }), zk.exists('/c', { watch })]);
  await memory.suspend(zk);
  await memory.resume(zk);
  await zk.sync('/');
  expect(told).toEqual([]);
});

test('expired: its owner knows before anybody can see that its ephemeral nodes are gone', async () => {
  const memory = memoryCoordination();
  const zk = memory.connect();
  await using other = memory.connect();
  await zk.create('/mine', '', { mode: 'ephemeral' });
  await zk.create('/stays');
  const order: string[] = [];
  zk.lost.addEventListener('abort', () => order.push(`lost: ${zk.lost.reason.code}`));
  const fired = new Promise<void>((resolve) => {
    const watch = ({ type }: WatchEvent): void => resolve(void order.push(type));
    void other.exists('/mine', { watch });
  });
  await other.sync('/');
  const states = zk.states();
  const write = codeOf(zk.set('/stays', 'x'));
  const read = codeOf(zk.get('/stays'));
  await memory.expire(zk);
  await fired;
  expect(order).toEqual(['lost: session-lost', 'deleted']);
  expect(await states.next()).toEqual({ done: false, value: 'lost' });
  expect(await states.next()).toEqual({ done: true, value: undefined });
  expect([await write, await read, await codeOf(zk.get('/'))]).toEqual(['ambiguous', 'session-lost', 'session-lost']);
  expect((await other.children('/')).names).toEqual(['stays']);
  await zk.close();
  await memory.expire(zk);
  expect(zk.state).toBe('lost');
});

test('expired: a stream of events ends with the loss', async () => {
  const memory = memoryCoordination();
  const zk = memory.connect();
  const tree = zk.watch('/', { mode: 'recursive' });
  await tree.ready;
  await memory.suspend(zk);
  const next = codeOf(tree.next());
  await memory.expire(zk);
  expect(await next).toBe('session-lost');
});

test('a reply is lost: the write has happened, and is ambiguous', async () => {
  const memory = memoryCoordination();
  await using zk = memory.connect();
  await zk.create('/a', 'old');
  // The event of the write is lost with its reply: it is told of on the next connection.
  const order = heard(zk);
  await zk.get('/a', { watch: ({ type }) => order.push(type) });
  memory.loseReply(zk);
  const [written, read] = [codeOf(zk.set('/a', 'new', { version: 0 })), zk.get('/a')];
  expect(await written).toBe('ambiguous');
  expect((await read).data.toString()).toBe('new');
  expect((await zk.get('/a')).stat.version).toBe(1);
  expect(order).toEqual(['suspended', 'changed', 'connected']);
  await zk.set('/a', 'newer', { version: 1 });
});

test('a reply is lost: a protected create finds its node, and there is one', async () => {
  const memory = memoryCoordination();
  await using zk = memory.connect();
  await zk.create('/locks');
  memory.loseReply(zk, 'create');
  await zk.set('/locks', 'not this one');
  const { path, stat } = await zk.create('/locks/lock-', '', { mode: 'ephemeral-sequential' });
  expect(path).toMatch(/^\/locks\/_c_[0-9a-f-]{36}-lock-0000000000$/);
  expect(stat.ephemeralOwner).toBe(zk.id);
  expect((await zk.children('/locks')).names).toHaveLength(1);
});

test('a reply is lost: of a plain create nobody can tell, and of one whose wait was aborted nothing is left', async () => {
  const memory = memoryCoordination();
  await using zk = memory.connect();
  memory.loseReply(zk, 'create');
  expect(await codeOf(zk.create('/plain'))).toBe('ambiguous');
  expect(await zk.exists('/plain')).toBeDefined();
  memory.loseReply(zk, 'create');
  const controller = new AbortController();
  const { signal } = controller;
  const creating = zk.create('/n-', '', { mode: 'persistent-sequential', signal });
  const reason = new Error('enough');
  controller.abort(reason);
  await expect(creating).rejects.toBe(reason);
  await vi.waitFor(async () => expect((await zk.children('/')).names).toEqual(['plain']));
});

test('closing ends the session also while it is suspended, or being cut off', async () => {
  const memory = memoryCoordination();
  await using other = memory.connect();
  const suspended = memory.connect();
  await suspended.create('/a', '', { mode: 'ephemeral' });
  await memory.suspend(suspended);
  await suspended.close();
  expect(await other.exists('/a')).toBeUndefined();
  const cut = memory.connect();
  await cut.create('/a', '', { mode: 'ephemeral' });
  const closing = cut.close();
  void memory.suspend(cut).catch(() => undefined);
  await closing;
  expect([suspended.state, cut.state]).toEqual(['closed', 'closed']);
  expect(await other.exists('/a')).toBeUndefined();
});

test('a lock on a bad day: its lease ends the moment holding is not certain, and a lost reply leaves one node', async () => {
  const memory = memoryCoordination();
  const zk = memory.connect();
  await using other = memory.connect();
  memory.loseReply(zk, 'create');
  const path = '/locks/cab-42';
  await using first = await new Lock(zk, path).acquire({ timeout: 5_000 });
  expect((await other.children(path)).names).toHaveLength(1);
  await memory.suspend(zk);
  expect(first.signal.reason).toMatchObject({ code: 'lease-suspended' });
  const order: string[] = [];
  const waiting = new Lock(other, path).acquire().then(async (lease) => {
    order.push(`acquired, lost: ${zk.lost.aborted}`);
    return lease;
  });
  await vi.waitFor(async () => expect((await other.children(path)).names).toHaveLength(2));
  await memory.expire(zk);
  await using second = await waiting;
  expect(order).toEqual(['acquired, lost: true']);
  expect(second.token).toBeGreaterThan(first.token);
});

test('a stale holder: the servers have ended its session, and it does not know; a resource that sees tokens refuses it', async () => {
  const memory = memoryCoordination();
  const stale = memory.connect();
  await using other = memory.connect();
  const held = await new Lock(stale, '/l').acquire();
  await memory.forget(stale);
  const next = await new Lock(other, '/l').acquire();
  // Both look held: only the tokens tell.
  expect([held.signal.aborted, next.signal.aborted, stale.state]).toEqual([false, false, 'connected']);
  expect(next.token).toBeGreaterThan(held.token);
  const written = codeOf(held.guard(stale.transaction()).set('/l', 'late').commit());
  const read = codeOf(stale.get('/l'));
  expect([await written, await read, stale.state]).toEqual(['ambiguous', 'session-lost', 'lost']);
  expect(held.signal.reason).toMatchObject({ reason: 'lost' });
  expect((await other.get('/l')).data.toString()).toBe('');
});

test('a stale holder that closes, or expires, knows then', async () => {
  const memory = memoryCoordination();
  for (const end of ['close', 'expire', 'resume'] as const) {
    const stale = memory.connect();
    const held = await new Lock(stale, `/${end}`).acquire();
    await memory.forget(stale);
    if (end === 'close') await stale.close();
    else await memory[end](stale);
    expect(held.signal.aborted).toBe(true);
    await expect(memory.forget(stale)).rejects.toThrow('a session that is not over');
  }
});

test('what servers delete in time is deleted when it is swept', async () => {
  const memory = memoryCoordination();
  await using zk = memory.connect();
  const event = Promise.withResolvers<WatchEvent>();
  await zk.create('/used', '', { mode: 'container' });
  await zk.create('/used/child');
  await zk.create('/unused', '', { mode: 'container' });
  await zk.create('/brief', '', { ttl: 1 });
  await zk.create('/long', '', { ttl: 3_600_000 });
  await memory.sweep();
  expect((await zk.children('/')).names).toContain('used');
  await zk.delete('/used/child');
  await zk.exists('/used', { watch: event.resolve });
  await vi.waitFor(async () => {
    await memory.sweep();
    expect((await zk.children('/')).names.sort()).toEqual(['long', 'unused']);
  });
  expect(await event.promise).toEqual({ type: 'deleted', path: '/used' });
});

test('what it cannot do is said', async () => {
  await using zk = memoryCoordination().connect();
  const calls = [
    zk.addAuth({ scheme: 'digest', user: 'u', password: 'p' }),
    zk.config(),
    zk.reconfig({ leaving: [1] }),
  ];
  expect(await Promise.all(calls.map(codeOf))).toEqual(Array(3).fill('unsupported'));
});

test('ACLs are kept and hold: what they forbid is refused, and not told of', async () => {
  await using zk = memoryCoordination().connect();
  const acl = [{ permissions: ['admin'] as const, scheme: 'world', id: 'anyone' }];
  await zk.create('/sealed', '', { acl });
  expect((await zk.acl('/sealed')).acl).toEqual(acl);
  expect(await codeOf(zk.get('/sealed'))).toBe('no-auth');
  await zk.setAcl('/sealed', [{ permissions: 'all', scheme: 'ip', id: '127.0.0.1' }], { version: 0 });
  await zk.get('/sealed');
});

test('its nodes are bounded: a write beyond is refused and changes nothing', async () => {
  await using zk = memoryCoordination({ maxBytes: 10_000 }).connect();
  await zk.create('/a');
  expect(await codeOf(zk.set('/a', Buffer.alloc(10_000)))).toBe('quota-exceeded');
  const many = zk.transaction();
  for (let n = 0; n < 100; n += 1) many.create(`/a/${n}`);
  expect(await codeOf(many.commit())).toBe('quota-exceeded');
  expect((await zk.exists('/a'))?.cversion).toBe(0);
  // What is deleted makes room: this could not be done so often otherwise.
  for (let n = 0; n < 10; n += 1) {
    await zk.create('/b', Buffer.alloc(5_000));
    await zk.delete('/b');
  }
});

test.each([
  ['maxBytes', () => memoryCoordination({ maxBytes: 1 })],
  ['sessionTimeout', () => memoryCoordination().connect({ sessionTimeout: 0 })],
  ['zk', () => memoryCoordination().suspend(memoryCoordination().connect())],
  ['zk', () => memoryCoordination().expire({} as ZooKeeper)],
  [
    'operation',
    () => {
      const memory = memoryCoordination();
      memory.loseReply(memory.connect(), 'get' as never);
    },
  ],
  [
    'zk',
    async () => {
      const memory = memoryCoordination();
      const zk = memory.connect();
      await zk.close();
      await memory.resume(zk);
    },
  ],
])('refuses a bad %s (%#)', async (argument, call) => {
  const refused = Promise.resolve().then((): unknown => call());
  await expect(refused).rejects.toMatchObject({ code: 'invalid-argument', argument });
});

test('goes on under fake timers', async () => {
  vi.useFakeTimers();
  try {
    await using zk = memoryCoordination().connect();
    expect((await zk.create('/a')).path).toBe('/a');
  } finally {
    vi.useRealTimers();
  }
});

test('10,000 nodes and 10,000 watches take no time worth mentioning', async () => {
  const memory = memoryCoordination();
  await using zk = memory.connect();
  await using other = memory.connect();
  const began = performance.now();
  await zk.create('/many');
  const mode = 'ephemeral-sequential';
  const created = await Promise.all(Array.from({ length: 10_000 }, () => zk.create('/many/n-', '', { mode })));
  expect(new Set(created.map(({ path }) => path.slice(-10))).size).toBe(10_000);
  let fired = 0;
  const watch = (): void => {
    fired += 1;
  };
  await Promise.all(created.map(({ path }) => other.get(path, { watch })));
  await zk.close();
  await other.sync('/');
  expect(fired).toBe(10_000);
  expect((await other.exists('/many'))?.numChildren).toBe(0);
  // It takes about half a second; a cost that grows with the square would take minutes.
  expect(performance.now() - began).toBeLessThan(15_000);
});

test('does not keep a process alive', () => {
  const index = new URL('../index.ts', import.meta.url).href;
  const script = `
    const { memoryCoordination } = await import(${JSON.stringify(index)});
    const memory = memoryCoordination();
    const zk = memory.connect();
    await zk.create('/a', '', { mode: 'ephemeral' });
    void zk.watch('/').next();
    await memory.suspend(zk);
    void zk.get('/a');
    console.log('done');`;
  const args = ['--conditions=@quorate/source', '--input-type=module', '-e', script];
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 20_000 });
  expect({ status, stdout }).toEqual({ status: 0, stdout: 'done\n' });
});

test('deleting a container with all below it is done when the servers take it away meanwhile', async () => {
  const memory = memoryCoordination();
  await using zk = memory.connect();
  for (let round = 0; round < 20; round += 1) {
    await zk.create('/swept', '', { mode: 'container' });
    for (const name of ['a', 'b', 'c']) await zk.create(`/swept/${name}`);
    let over = false;
    const deleting = zk.delete('/swept', { recursive: true }).finally(() => {
      over = true;
    });
    while (!over) await memory.sweep();
    await deleting;
    expect(await zk.exists('/swept')).toBeUndefined();
  }
  await expect(zk.delete('/swept', { recursive: true })).rejects.toMatchObject({ code: 'no-node', happened: 'no' });
});
