import { isQuorateError } from '@quorate/core';
import { expect, test } from 'vitest';
import type { WatchEvent, ZooKeeper } from '../src/index.ts';

export interface Conformance {
  /** A session below an empty chroot of its own. Closed by the test. */
  readonly open: () => Promise<ZooKeeper>;
  /** What it can do besides what every ZooKeeper client can. */
  readonly has?: {
    /** What is not in the protocol of 3.4. */
    readonly modern?: boolean;
    /** What came with 3.6. Default: the same. */
    readonly newer?: boolean;
  };
}

/** The error code that a call was rejected with. */
export async function codeOf(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return isQuorateError(error) ? error.code : `not one of ours: ${error}`;
}

/** What every client that gives our interface must do, on whatever servers. */
export function conformance({ open, has = {} }: Conformance): void {
  const modern = (name: string, body: () => Promise<void>): void => {
    if (has.modern) test(name, body);
  };
  const newer = (name: string, body: () => Promise<void>): void => {
    if (has.newer ?? has.modern) test(name, body);
  };

  test('creates, reads, changes and deletes a node', async () => {
    await using zk = await open();
    const created = await zk.create('/a', 'one');
    expect(created.path).toBe('/a');
    const first = await zk.get('/a');
    expect(first.data.toString()).toBe('one');
    expect(first.stat).toEqual(created.stat);
    expect(first.stat).toMatchObject({ version: 0, dataLength: 3, ephemeralOwner: 0n });
    expect(typeof first.stat.czxid).toBe('bigint');
    const changed = await zk.set('/a', Buffer.from('three'));
    expect(changed).toMatchObject({ version: 1, czxid: first.stat.czxid, dataLength: 5 });
    expect(changed.mzxid).toBeGreaterThan(first.stat.mzxid);
    await zk.delete('/a');
    expect(await zk.exists('/a')).toBeUndefined();
  });

  test('keeps bytes as they are, none included', async () => {
    await using zk = await open();
    const bytes = Buffer.from(Array.from({ length: 1024 }, (_, i) => i % 256));
    await zk.create('/bytes', bytes);
    expect((await zk.get('/bytes')).data).toEqual(bytes);
    await zk.create('/none');
    expect((await zk.get('/none')).data).toHaveLength(0);
  });

  test('lists children and counts them in the stat', async () => {
    await using zk = await open();
    for (const name of ['b', 'a', 'ü']) await zk.create(`/${name}`);
    const { names, stat } = await zk.children('/');
    expect(names.sort()).toEqual(['a', 'b', 'ü']);
    expect(stat.numChildren).toBe(3);
  });

  test('numbers sequential nodes in the order of their creation', async () => {
    await using zk = await open();
    const paths: string[] = [];
    for (const mode of ['persistent-sequential', 'ephemeral-sequential', 'persistent-sequential'] as const) {
      paths.push((await zk.create('/n-', '', { mode, protected: false })).path);
    }
    expect(paths).toEqual(['/n-0000000000', '/n-0000000001', '/n-0000000002']);
  });

  test('an ephemeral node names its session and is gone when the session is closed', async () => {
    await using watcher = await open();
    {
      await using zk = await open();
      const { stat } = await zk.create('/e', '', { mode: 'ephemeral' });
      expect(stat.ephemeralOwner).toBe(zk.id);
      expect(await codeOf(zk.create('/e/child'))).toBe('no-children-for-ephemerals');
      expect(zk.state).toBe('connected');
    }
    await watcher.sync('/');
    expect((await watcher.children('/')).names).toEqual([]);
  });

  test('version 0 is a version, and no version is any', async () => {
    await using zk = await open();
    await zk.create('/v', 'x');
    await zk.set('/v', 'y', { version: 0 });
    expect(await codeOf(zk.set('/v', 'z', { version: 0 }))).toBe('bad-version');
    expect(await codeOf(zk.delete('/v', { version: 0 }))).toBe('bad-version');
    expect(await codeOf(zk.transaction().check('/v', 0).commit())).toBe('bad-version');
    expect(await codeOf(zk.transaction().set('/v', 'z', { version: 0 }).commit())).toBe('bad-version');
    expect(await codeOf(zk.transaction().delete('/v', { version: 0 }).commit())).toBe('bad-version');
    expect((await zk.get('/v')).data.toString()).toBe('y');
    await zk.set('/v', 'z');
    await zk.delete('/v', { version: 2 });
  });

  test.each([
    ['no-node', 'get /none', (zk: ZooKeeper) => zk.get('/none')],
    ['no-node', 'set /none', (zk: ZooKeeper) => zk.set('/none', '')],
    ['no-node', 'delete /none', (zk: ZooKeeper) => zk.delete('/none')],
    ['no-node', 'children /none', (zk: ZooKeeper) => zk.children('/none')],
    ['no-node', 'create /none/below', (zk: ZooKeeper) => zk.create('/none/below')],
    ['no-node', 'acl /none', (zk: ZooKeeper) => zk.acl('/none')],
    ['node-exists', 'create /there', (zk: ZooKeeper) => zk.create('/there')],
    ['not-empty', 'delete /there', (zk: ZooKeeper) => zk.delete('/there')],
    ['bad-version', 'set /there', (zk: ZooKeeper) => zk.set('/there', '', { version: 7 })],
    [
      'bad-version',
      'setAcl /there',
      (zk: ZooKeeper) => zk.setAcl('/there', [{ permissions: 'all', scheme: 'world', id: 'anyone' }], { version: 7 }),
    ],
    ['no-auth', 'set /sealed', (zk: ZooKeeper) => zk.set('/sealed', '')],
    ['no-auth', 'create /sealed/below', (zk: ZooKeeper) => zk.create('/sealed/below')],
    [
      'invalid-acl',
      'create /x',
      (zk: ZooKeeper) => zk.create('/x', '', { acl: [{ permissions: 'all', scheme: 'nonesuch', id: 'x' }] }),
    ],
  ])('the server says %s to %s: a typed error that names both', async (code, _, call) => {
    await using zk = await open();
    await zk.create('/there');
    await zk.create('/there/child');
    await zk.create('/sealed', '', { acl: [{ permissions: ['read'], scheme: 'world', id: 'anyone' }] });
    expect(await codeOf(call(zk))).toBe(code);
    await expect(call(zk)).rejects.toThrow(/^\w+ \/(none|there|sealed|x)/);
  });

  test('all of a transaction happens, with what each operation came to', async () => {
    await using zk = await open();
    await zk.create('/t', 'old');
    await zk.create('/t/a');
    const results = await zk
      .transaction()
      .check('/t', 0)
      .set('/t', 'new', { version: 0 })
      .create('/t/n-', '', { mode: 'ephemeral-sequential' })
      .delete('/t/a')
      .commit();
    expect(results.map(({ kind }) => kind)).toEqual(['check', 'set', 'create', 'delete']);
    expect(results[2]).toMatchObject({ path: '/t/n-0000000001', stat: { ephemeralOwner: zk.id } });
    expect((await zk.get('/t')).data.toString()).toBe('new');
    expect((await zk.children('/t')).names).toEqual(['n-0000000001']);
  });

  test('nothing of a transaction happens, and the error says which operation failed', async () => {
    await using zk = await open();
    await zk.create('/t', 'old');
    const failed = zk.transaction().set('/t', 'new').create('/t/a').check('/none').create('/t/b').commit();
    await expect(failed).rejects.toMatchObject({ name: 'TransactionError', code: 'no-node', index: 2 });
    expect((await zk.get('/t')).data.toString()).toBe('old');
    expect((await zk.children('/t')).names).toEqual([]);
  });

  test('an ACL is what was set, and has its own version', async () => {
    await using zk = await open();
    const acl = [
      { permissions: ['read', 'admin'] as const, scheme: 'world', id: 'anyone' },
      { permissions: 'all' as const, scheme: 'ip', id: '127.0.0.1' },
    ];
    await zk.create('/acl', '');
    expect((await zk.setAcl('/acl', acl, { version: 0 })).aversion).toBe(1);
    expect((await zk.acl('/acl')).acl).toEqual(acl);
  });

  test('a watch on a read fires once, with what happened', async () => {
    await using zk = await open();
    await zk.create('/w');
    const seen: WatchEvent[] = [];
    const fired = Promise.withResolvers<void>();
    const watch = (event: WatchEvent): void => {
      seen.push(event);
      if (seen.length === 3) fired.resolve();
    };
    await zk.get('/w', { watch });
    await zk.children('/w', { watch });
    await zk.exists('/later', { watch });
    await zk.create('/w/child');
    await zk.set('/w', 'x');
    await zk.set('/w', 'y');
    await zk.create('/later');
    await zk.set('/later', 'x');
    await fired.promise;
    await zk.exists('/');
    expect(seen).toEqual([
      { type: 'children', path: '/w' },
      { type: 'changed', path: '/w' },
      { type: 'created', path: '/later' },
    ]);
  });

  test('deletes a node with everything below it', async () => {
    await using zk = await open();
    for (const path of ['/d', '/d/a', '/d/a/b', '/d/c']) await zk.create(path);
    expect(await codeOf(zk.delete('/d', { recursive: true, version: 3 }))).toBe('bad-version');
    await zk.create('/d/a', '').catch(() => undefined);
    await zk.delete('/d', { recursive: true });
    expect(await zk.exists('/d')).toBeUndefined();
  });

  test('creates the parents that are missing, also when several do at once', async () => {
    await using zk = await open();
    await Promise.all([1, 2, 3, 4].map((n) => zk.create(`/p/q/r/${n}`, '', { parents: true })));
    expect((await zk.children('/p/q/r')).names.sort()).toEqual(['1', '2', '3', '4']);
  });

  test('states end with the last one, and lost aborts', async () => {
    const zk = await open();
    const seen: string[] = [];
    const heard: string[] = [];
    zk.on('state', (state) => heard.push(state));
    const states = zk.states();
    await zk.close();
    for await (const state of states) seen.push(state);
    expect(seen).toEqual(['closed']);
    expect(heard).toEqual(['closed']);
    expect(zk.state).toBe('closed');
    expect(zk.lost.reason).toMatchObject({ code: 'session-closed' });
    expect(await codeOf(zk.get('/'))).toBe('session-closed');
    await zk.close();
    for await (const state of zk.states()) expect.unreachable(state);
  });

  test.each([
    ['path', (zk: ZooKeeper) => zk.get('relative')],
    ['path', (zk: ZooKeeper) => zk.create('/a//b')],
    ['path', (zk: ZooKeeper) => zk.exists('/a/../b')],
    ['path', (zk: ZooKeeper) => zk.delete('/')],
    ['data', (zk: ZooKeeper) => zk.set('/a', { secret: 1 } as never)],
    ['data', (zk: ZooKeeper) => zk.create('/a', Buffer.alloc(1024 * 1024))],
    ['version', (zk: ZooKeeper) => zk.set('/a', '', { version: -1 })],
    ['version', (zk: ZooKeeper) => zk.delete('/a', { version: 2 ** 31 })],
    ['mode', (zk: ZooKeeper) => zk.create('/a', '', { mode: 'temporary' as never })],
    ['options.modus', (zk: ZooKeeper) => zk.create('/a', '', { modus: 'ephemeral' } as never)],
    ['ttl', (zk: ZooKeeper) => zk.create('/a', '', { ttl: 0 })],
    ['ttl', (zk: ZooKeeper) => zk.create('/a', '', { ttl: 5, mode: 'ephemeral' })],
    ['acl', (zk: ZooKeeper) => zk.create('/a', '', { acl: [] })],
    [
      'acl[0].permissions',
      (zk: ZooKeeper) => zk.setAcl('/a', [{ permissions: ['rwx' as never], scheme: 'world', id: 'anyone' }]),
    ],
    ['path', (zk: ZooKeeper) => zk.transaction().check('a').commit()],
    ['watch', (zk: ZooKeeper) => zk.get('/', { watch: true as never })],
  ])('refuses a bad %s before anything is sent (%#)', async (argument, call) => {
    await using zk = await open();
    const refused = Promise.resolve().then((): Promise<unknown> => call(zk));
    await expect(refused).rejects.toMatchObject({ code: 'invalid-argument', argument });
    expect((await zk.children('/')).names).toEqual([]);
  });

  test('an aborted call rejects with the reason of the signal', async () => {
    await using zk = await open();
    const reason = new Error('enough');
    await expect(zk.get('/', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const reading = zk.get('/', { signal: controller.signal });
    controller.abort(reason);
    await expect(reading).rejects.toBe(reason);
    expect((await zk.children('/')).names).toEqual([]);
  });

  modern('the servers delete a TTL node, and a container whose last child is gone', async () => {
    await using zk = await open();
    const gone = ['/c', '/ttl', '/ttl-0000000002'].map((path) => {
      const { promise, resolve } = Promise.withResolvers<WatchEvent>();
      return { path, promise, watch: (event: WatchEvent): void => resolve(event) };
    });
    await zk.create('/c', '', { mode: 'container' });
    await zk.create('/ttl', '', { ttl: 1 });
    const numbered = await zk.create('/ttl-', '', { ttl: 1, mode: 'persistent-sequential', protected: false });
    expect(numbered.path).toBe('/ttl-0000000002');
    await zk.create('/c/child');
    await zk.delete('/c/child');
    for (const { path, watch, promise } of gone) {
      if (await zk.exists(path, { watch })) expect(await promise).toEqual({ type: 'deleted', path });
    }
    expect((await zk.children('/')).names).toEqual([]);
  });

  test('reads many nodes at once, each with its own outcome', async () => {
    await using zk = await open();
    await zk.create('/m', 'x');
    const outcomes = await zk.readMany([{ get: '/m' }, { get: '/none' }, { children: '/' }]);
    expect(outcomes).toMatchObject([
      { data: Buffer.from('x') },
      { error: { code: 'no-node', path: '/none' } },
      { names: ['m'] },
    ]);
  });

  newer('lists own ephemeral nodes, and counts what is below a path', async () => {
    await using zk = await open();
    await zk.create('/a');
    await zk.create('/a/e', '', { mode: 'ephemeral' });
    await zk.create('/ab', '', { mode: 'ephemeral' });
    expect((await zk.ephemerals()).sort()).toEqual(['/a/e', '/ab']);
    expect(await zk.ephemerals('/a')).toEqual(['/a/e']);
    expect(await zk.countDescendants('/')).toBe(3);
  });

  newer('a persistent watch tells of its node and children, a recursive one of all below', async () => {
    await using zk = await open();
    await zk.create('/w');
    await using node = zk.watch('/w');
    await using tree = zk.watch('/w', { mode: 'recursive' });
    await Promise.all([node.ready, tree.ready]);
    await zk.set('/w', 'x');
    await zk.create('/w/a');
    await zk.set('/w/a', 'y');
    await zk.delete('/w/a');
    await zk.delete('/w');
    const take = async (events: AsyncIterable<WatchEvent>, last: string): Promise<string[]> => {
      const seen: string[] = [];
      for await (const { type, path } of events) {
        seen.push(`${type} ${path}`);
        if (seen.at(-1) === last) return seen;
      }
      return seen;
    };
    expect(await take(node, 'deleted /w')).toEqual(['changed /w', 'children /w', 'children /w', 'deleted /w']);
    expect(await take(tree, 'deleted /w')).toEqual([
      'changed /w',
      'created /w/a',
      'changed /w/a',
      'deleted /w/a',
      'deleted /w',
    ]);
  });
}
