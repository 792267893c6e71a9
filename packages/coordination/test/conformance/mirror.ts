import type { ZooKeeper } from '@quorate/zookeeper';
import { describe, expect, test } from 'vitest';
import { Mirror, type MirrorChange } from '../../src/index.ts';
import { type Connect, codeOf } from './store.ts';

/** What a mirror does on any store. The sessions of one test see one tree, which is empty at first. */
export function mirrorConformance(connect: Connect): void {
  describe('a mirror', () => {
    /** What the mirror shows, as one line a node. */
    const shown = (mirror: Mirror): string[] => [...mirror].map(([path, { data }]) => `${path}=${data}`).sort();

    /** Waits for a change of this type and path. */
    async function until(changes: AsyncIterable<MirrorChange>, type: string, path: string): Promise<void> {
      for await (const change of changes) if (change.type === type && change.path === path) return;
      throw new Error('the stream has ended');
    }

    async function plant(zk: ZooKeeper): Promise<void> {
      for (const path of ['/m', '/m/a', '/m/a/1', '/m/a/2', '/m/b', '/mb']) await zk.create(path, path.slice(-1));
    }

    test('shows a node and everything below it', async () => {
      await using zk = await connect();
      await plant(zk);
      await using mirror = new Mirror(zk, '/m');
      expect(mirror.state).toBe('loading');
      expect(mirror.age).toBe(Number.POSITIVE_INFINITY);
      await mirror.ready;
      expect(shown(mirror)).toEqual(['/m/a/1=1', '/m/a/2=2', '/m/a=a', '/m/b=b', '/m=m']);
      expect(mirror.size).toBe(5);
      expect(mirror.state).toBe('current');
      expect(mirror.age).toBe(0);
      expect(mirror.children('/m')?.sort()).toEqual(['a', 'b']);
      expect(mirror.children('/m/b')).toEqual([]);
      expect(mirror.children('/m/c')).toBeUndefined();
      expect(mirror.get('/m/c')).toBeUndefined();
      const { stat } = await zk.get('/m/a/1');
      expect(stat).toMatchObject(mirror.get('/m/a/1')?.stat ?? { there: 'is one' });
    });

    test('follows what is created, changed and deleted', async () => {
      await using zk = await connect();
      await using other = await connect();
      await plant(zk);
      await using mirror = new Mirror(zk, '/m');
      await mirror.ready;
      const changes = mirror.changes();
      await other.create('/m/c', 'new');
      expect((await changes.next()).value).toMatchObject({ type: 'changed', path: '/m/c', node: mirror.get('/m/c') });
      await other.set('/m/c', 'newer');
      expect((await changes.next()).value).toMatchObject({ type: 'changed', path: '/m/c' });
      expect(`${mirror.get('/m/c')?.data}`).toBe('newer');
      await other.delete('/m/c');
      expect((await changes.next()).value).toEqual({ type: 'deleted', path: '/m/c' });
      expect(mirror.get('/m/c')).toBeUndefined();
      expect(mirror.children('/m')?.sort()).toEqual(['a', 'b']);
      await other.delete('/m/a', { recursive: true });
      const gone: string[] = [];
      for await (const { path } of changes) {
        gone.push(path);
        if (path === '/m/a') break;
      }
      expect(gone.sort()).toEqual(['/m/a', '/m/a/1', '/m/a/2']);
      expect(shown(mirror)).toEqual(['/m/b=b', '/m=m']);
    });

    test('a reader that asks before the mirror is ready is told of everything', async () => {
      await using zk = await connect();
      await plant(zk);
      await using mirror = new Mirror(zk, '/m');
      const changes = mirror.changes();
      await mirror.ready;
      const paths: string[] = [];
      for await (const { path } of changes) if (paths.push(path) === 5) break;
      expect(paths.sort()).toEqual(['/m', '/m/a', '/m/a/1', '/m/a/2', '/m/b']);
    });

    test('a node that is not there yet is an empty mirror, which fills when it comes', async () => {
      await using zk = await connect();
      await using mirror = new Mirror(zk, '/later/on');
      await mirror.ready;
      expect(mirror.size).toBe(0);
      const changes = mirror.changes();
      await zk.create('/later/on/a', 'x', { parents: true });
      await until(changes, 'changed', '/later/on/a');
      expect(shown(mirror)).toEqual(['/later/on/a=x', '/later/on=']);
      expect(mirror.children('/later/on')).toEqual(['a']);
      const more = mirror.changes();
      await zk.delete('/later/on', { recursive: true });
      await until(more, 'deleted', '/later/on');
      expect(mirror.size).toBe(0);
    });

    test('the root can be mirrored', async () => {
      await using zk = await connect();
      await plant(zk);
      await using mirror = new Mirror(zk, '/');
      await mirror.ready;
      expect(shown(mirror)).toContain('/m/a/1=1');
      expect(mirror.children('/')).toContain('mb');
    });

    test('comes to show what is there, however fast it changes', async () => {
      await using zk = await connect();
      await using writer = await connect();
      await zk.create('/m');
      await using mirror = new Mirror(zk, '/m', { maxNodes: 2_000 });
      const changes = mirror.changes();
      const writes: Promise<unknown>[] = [];
      const ignore = (): void => undefined;
      for (let i = 0; i < 1_500; i += 1) {
        const path = `/m/${i % 40}`;
        if (i % 7 === 3) writes.push(writer.delete(path).catch(ignore));
        else if (i % 3 === 0) writes.push(writer.set(path, `${i}`).catch(ignore));
        else writes.push(writer.create(path, `${i}`).catch(ignore));
      }
      await Promise.all(writes);
      await writer.create('/m/last', '');
      await until(changes, 'changed', '/m/last');
      const { names } = await writer.children('/m');
      const wanted = await Promise.all(
        names.map(async (name) => `/m/${name}=${(await writer.get(`/m/${name}`)).data}`),
      );
      expect(shown(mirror)).toEqual([...wanted, '/m='].sort());
    });

    test.each([
      ['nodes when it begins', { maxNodes: 4 }],
      ['bytes when it begins', { maxBytes: 4 }],
    ])('ends with an error rather than hold too many %s', async (_, limits) => {
      await using zk = await connect();
      await plant(zk);
      const mirror = new Mirror(zk, '/m', limits);
      expect(await codeOf(mirror.ready)).toBe('mirror-too-large');
      expect(mirror.state).toBe('ended');
      expect(mirror.signal.reason).toMatchObject({ code: 'mirror-too-large' });
      expect(await codeOf(() => mirror.get('/m'))).toBe('mirror-too-large');
      await mirror.close();
    });

    test.each([
      ['nodes', { maxNodes: 5 }],
      ['bytes', { maxBytes: 5 }],
    ])('ends with an error when there come to be too many %s', async (_, limits) => {
      await using zk = await connect();
      await plant(zk);
      await using mirror = new Mirror(zk, '/m', limits);
      await mirror.ready;
      const changes = mirror.changes();
      const failed = expect(changes.next()).rejects.toMatchObject({ code: 'mirror-too-large' });
      await zk.create('/m/more', 'x');
      await failed;
      expect(await codeOf(() => mirror.size)).toBe('mirror-too-large');
    });

    test('bad input is refused before anything is touched', async () => {
      await using zk = await connect();
      expect(await codeOf(() => new Mirror(zk, 'm'))).toBe('invalid-argument');
      expect(await codeOf(() => new Mirror(zk, '/m', { maxNodes: 0 }))).toBe('invalid-argument');
      expect(await codeOf(() => new Mirror(zk, '/m', { maxBytes: '1' as never }))).toBe('invalid-argument');
      await using mirror = new Mirror(zk, '/m');
      for (const path of ['/', '/mb', '/n/a', 'm']) {
        expect(await codeOf(() => mirror.get(path))).toBe('invalid-argument');
        expect(await codeOf(() => mirror.children(path))).toBe('invalid-argument');
      }
    });

    test('closed, it says so, and its readers are at the end', async () => {
      await using zk = await connect();
      const mirror = new Mirror(zk, '/m');
      const changes = mirror.changes();
      await mirror.ready;
      const last = changes.next();
      await mirror.close();
      await mirror.close();
      expect(await last).toEqual({ done: true, value: undefined });
      expect(mirror.state).toBe('ended');
      expect(mirror.signal.aborted).toBe(true);
      expect(await codeOf(() => mirror.get('/m'))).toBe('mirror-closed');
      expect(await codeOf(() => [...mirror])).toBe('mirror-closed');
      expect(await codeOf(() => mirror.changes())).toBe('mirror-closed');
      const early = new Mirror(zk, '/m');
      await early.close();
      expect(await codeOf(early.ready)).toBe('mirror-closed');
    });

    test('a reader is let go when its signal aborts, and the mirror goes on', async () => {
      await using zk = await connect();
      await using mirror = new Mirror(zk, '/m');
      await mirror.ready;
      const reason = new Error('enough');
      const controller = new AbortController();
      const changes = mirror.changes({ signal: controller.signal });
      const waiting = changes.next();
      controller.abort(reason);
      await expect(waiting).rejects.toBe(reason);
      await expect(mirror.changes({ signal: controller.signal }).next()).rejects.toBe(reason);
      expect(mirror.state).toBe('current');
    });

    test('ends with its session', async () => {
      const zk = await connect();
      const mirror = new Mirror(zk, '/m');
      await mirror.ready;
      const changes = mirror.changes();
      const last = changes.next();
      await zk.close();
      expect(await last).toEqual({ done: true, value: undefined });
      expect(await codeOf(() => mirror.get('/m'))).toBe('session-closed');
      const late = new Mirror(zk, '/m');
      expect(await codeOf(late.ready)).toBe('session-closed');
    });
  });
}
