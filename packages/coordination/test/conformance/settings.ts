import type { ZooKeeper } from '@quorate/zookeeper';
import { describe, expect, test } from 'vitest';
import { InvalidSettingsError, type Setting, Settings } from '../../src/index.ts';
import { type Limits, limits, moment } from './limits-schema.ts';
import { type Connect, codeOf } from './store.ts';

/** What settings do on any store. The sessions of one test see one tree, which is empty at first. */
export function settingsConformance(connect: Connect): void {
  describe('settings', () => {
    const first: Limits = { max: 10, names: [] };
    const open = (zk: ZooKeeper): Settings<typeof limits> => new Settings(zk, '/config/limits', limits);

    test('nothing is stored at first, or what is said to be the default', async () => {
      await using zk = await connect();
      expect(await open(zk).get()).toEqual({ value: undefined, version: undefined });
      const settings = new Settings(zk, '/config/limits', limits, { default: first });
      const { value, version } = await settings.get();
      expect([value.max, version]).toEqual([10, undefined]);
      expect((await zk.children('/')).names).toEqual([]);
    });

    test('an update makes of the value what it says, and others see it', async () => {
      await using zk = await connect();
      await using other = await connect();
      const settings = new Settings(zk, '/config/limits', limits, { default: first });
      const one = await settings.update((value) => ({ ...value, max: value.max + 1 }));
      expect(one.value).toEqual({ max: 11, names: [] });
      const two = await settings.update(async (value) => ({ ...value, names: ['a'] }));
      expect(two.value).toEqual({ max: 11, names: ['a'] });
      expect(two.version).toBeGreaterThan(one.version ?? Number.POSITIVE_INFINITY);
      expect(await open(other).get()).toEqual(two);
    });

    test('the value stands in the node as JSON, and people may edit it there', async () => {
      await using zk = await connect();
      const settings = open(zk);
      await settings.set(first);
      expect((await zk.get('/config/limits')).data.toString().split('\n')[0]).toBe('{"max":10,"names":[]}');
      await zk.set('/config/limits', '{\n  "max": 12,\n  "names": ["by hand"]\n}\n');
      expect((await settings.get()).value).toEqual({ max: 12, names: ['by hand'] });
      expect((await settings.update((value) => ({ max: 13, names: value?.names ?? [] }))).value).toEqual({
        max: 13,
        names: ['by hand'],
      });
    });

    test('three sessions update at once, and no update is lost', async () => {
      const sessions = await Promise.all([connect(), connect(), connect()]);
      await using stack = new AsyncDisposableStack();
      for (const zk of sessions) stack.use(zk);
      const names = sessions.flatMap((_, s) => Array.from({ length: 10 }, (__, i) => `${s}-${i}`));
      await Promise.all(
        names.map((name, i) => {
          const settings = new Settings(sessions[i % 3] as ZooKeeper, '/limits', limits, { default: first });
          return settings.update((value) => ({ ...value, names: [...value.names, name] }));
        }),
      );
      const { value } = await new Settings(sessions[0] as ZooKeeper, '/limits', limits).get();
      expect([...(value?.names ?? [])].sort()).toEqual(names.sort());
    });

    test('what the schema makes of a value is what is returned', async () => {
      await using zk = await connect();
      const settings = new Settings(zk, '/since', moment);
      expect((await settings.set('2015-03-01T00:00:00Z')).value).toEqual(new Date(Date.UTC(2015, 2, 1)));
      const later = await settings.update((since) => new Date((since?.getTime() ?? 0) + 60_000).toISOString());
      expect(later.value).toEqual(new Date(Date.UTC(2015, 2, 1, 0, 1)));
      expect((await settings.get()).value).toEqual(later.value);
    });

    test('a bad value is refused, with where and what, before anything is written', async () => {
      await using zk = await connect();
      const settings = open(zk);
      const refused = await settings.update(() => ({ max: 'ten', names: ['a', 7] }) as never).catch((error) => error);
      expect(refused).toBeInstanceOf(InvalidSettingsError);
      expect(refused).toMatchObject({
        code: 'invalid-settings',
        issues: [
          { path: 'max', message: 'expected a number' },
          { path: 'names[1]', message: 'expected a string' },
        ],
      });
      expect(refused.message).toContain('/config/limits');
      expect(await codeOf(settings.set(undefined as never))).toBe('invalid-settings');
      const cycle: Record<string, unknown> = {};
      cycle.self = cycle;
      expect(await codeOf(settings.set(cycle as never))).toBe('invalid-argument');
      expect((await zk.children('/')).names).toEqual([]);
    });

    test('an error of the function is passed on, and nothing is written', async () => {
      await using zk = await connect();
      const reason = new Error('no');
      const failing = open(zk).update(() => {
        throw reason;
      });
      await expect(failing).rejects.toBe(reason);
      expect((await zk.children('/')).names).toEqual([]);
    });

    test('a stored value that is not valid is an error that says where, and set repairs it', async () => {
      await using zk = await connect();
      const settings = open(zk);
      await zk.create('/config/limits', '{"max":10,"names":["a","b",3]}', { parents: true });
      const issues = [{ path: 'names[2]', message: 'expected a string' }];
      await expect(settings.get()).rejects.toMatchObject({ code: 'invalid-settings', issues });
      await expect(settings.update(() => first)).rejects.toMatchObject({ code: 'invalid-settings', issues });
      await settings.set(first);
      expect((await settings.get()).value).toEqual(first);
    });

    test.each([
      ['what is no JSON', 'max=10'],
      ['a counter', '10\n#quorate counter 1:abc'],
    ])('%s is something else, and stays as it is', async (_, text) => {
      await using zk = await connect();
      await zk.create('/config/limits', text, { parents: true });
      expect(await codeOf(open(zk).get())).toBe('wrong-kind');
      expect(await codeOf(open(zk).update(() => first))).toBe('wrong-kind');
      expect((await zk.get('/config/limits')).data.toString()).toBe(text);
    });

    test('bad input is refused before anything is touched', async () => {
      await using zk = await connect();
      expect(await codeOf(() => new Settings(zk, 'limits', limits))).toBe('invalid-argument');
      for (const schema of [undefined, {}, { '~standard': { version: 2 } }, (x: unknown) => x]) {
        expect(await codeOf(() => new Settings(zk, '/limits', schema as never))).toBe('invalid-argument');
      }
      expect(await codeOf(open(zk).update(first as never))).toBe('invalid-argument');
      expect((await zk.children('/')).names).toEqual([]);
    });

    test('a watcher gets the value there is, and each later one', async () => {
      await using zk = await connect();
      await using other = await connect();
      const watched = new Settings(zk, '/limits', limits, { default: first }).watch();
      const next = async (): Promise<Setting<Limits>> => (await watched.next()).value as Setting<Limits>;
      expect(await next()).toEqual({ value: first, version: undefined });
      const settings = new Settings(other, '/limits', limits);
      expect(await settings.set({ max: 11, names: [] })).toEqual(await next());
      expect(await settings.set({ max: 12, names: [] })).toEqual(await next());
      await other.delete('/limits');
      expect(await next()).toEqual({ value: first, version: undefined });
      await watched.return?.();
    });

    test('a slow watcher gets the newest value only', async () => {
      await using zk = await connect();
      const settings = open(zk);
      await settings.set(first);
      const watched = settings.watch();
      await watched.next();
      for (let max = 11; max <= 40; max += 1) await settings.set({ max, names: [] });
      let seen = 0;
      for await (const { value } of watched) {
        seen += 1;
        if (value?.max === 40) break;
      }
      expect(seen).toBeLessThanOrEqual(3);
    });

    test('a watcher is not troubled by values that are not valid, and is told if it wants', async () => {
      await using zk = await connect();
      const settings = open(zk);
      await settings.set(first);
      const codes: string[] = [];
      const told = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const watched = settings.watch({
        invalid: ({ code }) => {
          codes.push(code);
          told[codes.length - 1]?.resolve();
        },
      });
      expect((await watched.next()).value?.value).toEqual(first);
      await zk.set('/config/limits', '{"max":"ten"}');
      await told[0]?.promise;
      await zk.set('/config/limits', 'max=10');
      await told[1]?.promise;
      const { version } = await settings.set({ max: 11, names: [] });
      expect((await watched.next()).value).toEqual({ value: { max: 11, names: [] }, version });
      expect(codes).toEqual(['invalid-settings', 'wrong-kind']);
      await watched.return?.();
    });

    test('a watcher that throws at a value that is not valid ends with what it throws', async () => {
      await using zk = await connect();
      const settings = open(zk);
      await settings.set(first);
      const watched = settings.watch({
        invalid: ({ code }) => {
          throw new Error(`it is ${code}`);
        },
      });
      expect((await watched.next()).value?.value).toEqual(first);
      await zk.set('/config/limits', '{"max":"ten"}');
      await expect(watched.next()).rejects.toThrow('it is invalid-settings');
    });

    test('watching ends with the reason of an aborted signal, and quietly when the session is closed', async () => {
      const zk = await connect();
      const settings = open(zk);
      const reason = new Error('enough');
      const controller = new AbortController();
      const aborted = settings.watch({ signal: controller.signal });
      await aborted.next();
      const waiting = aborted.next();
      controller.abort(reason);
      await expect(waiting).rejects.toBe(reason);
      await expect(settings.watch({ signal: controller.signal }).next()).rejects.toBe(reason);
      const closed = settings.watch();
      await closed.next();
      const last = closed.next();
      await zk.close();
      expect(await last).toEqual({ done: true, value: undefined });
      expect(await codeOf(settings.watch().next())).toBe('session-closed');
      expect(await codeOf(settings.get())).toBe('session-closed');
      expect(await codeOf(settings.set(first))).toBe('session-closed');
    });
  });
}
