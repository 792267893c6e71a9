import type { ZooKeeper } from '@quorate/zookeeper';
import { describe, expect, test } from 'vitest';
import { Counter } from '../../src/index.ts';
import { type Connect, codeOf } from './store.ts';

/** What a counter does on any store. The sessions of one test see one tree, which is empty at first. */
export function counterConformance(connect: Connect): void {
  describe('a counter', () => {
    const textAt = async (zk: ZooKeeper, path: string): Promise<string> => (await zk.get(path)).data.toString();

    test('counts from 0 and makes its node with the first addition', async () => {
      await using zk = await connect();
      const counter = new Counter(zk, '/a/b/counter');
      expect(await counter.get()).toBe(0n);
      expect(await zk.exists('/a')).toBeUndefined();
      expect(await counter.add(1n)).toBe(1n);
      expect(await counter.add(41n)).toBe(42n);
      expect(await counter.add(-50n)).toBe(-8n);
      expect(await counter.get()).toBe(-8n);
      expect(await new Counter(zk, '/a/b/counter').get()).toBe(-8n);
      expect((await textAt(zk, '/a/b/counter')).split('\n')[0]).toBe('-8');
    });

    test('a number may be larger than any machine word', async () => {
      await using zk = await connect();
      const counter = new Counter(zk, '/counter');
      await counter.set(2n ** 300n);
      expect(await counter.add(1n)).toBe(2n ** 300n + 1n);
      expect(await counter.add(-(2n ** 301n))).toBe(1n - 2n ** 300n);
    });

    test('replaces the number if it is what was expected, and says whether it was', async () => {
      await using zk = await connect();
      const counter = new Counter(zk, '/counter');
      expect(await counter.compareAndSet(1n, 2n)).toBe(false);
      expect(await zk.exists('/counter')).toBeUndefined();
      expect(await counter.compareAndSet(0n, 2n)).toBe(true);
      expect(await counter.compareAndSet(0n, 3n)).toBe(false);
      expect(await counter.get()).toBe(2n);
    });

    test('additions through one counter are done in the order of the calls', async () => {
      await using zk = await connect();
      const counter = new Counter(zk, '/counter');
      const sums = await Promise.all(Array.from({ length: 50 }, () => counter.add(1n)));
      expect(sums).toEqual(Array.from({ length: 50 }, (_, i) => BigInt(i + 1)));
    });

    test('four sessions add at once: every addition counts, and each gets a sum of its own', async () => {
      const sessions = await Promise.all([connect(), connect(), connect(), connect()]);
      await using stack = new AsyncDisposableStack();
      for (const zk of sessions) stack.use(zk);
      const each = 25;
      const sums = await Promise.all(
        sessions.flatMap((zk) => {
          const counter = new Counter(zk, '/counter');
          return Array.from({ length: each }, () => counter.add(1n));
        }),
      );
      const total = sessions.length * each;
      expect(sums.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: total }, (_, i) => i + 1));
      expect(await new Counter(stack.use(await connect()), '/counter').get()).toBe(BigInt(total));
    });

    test('what other programs write as a decimal number is a counter, and so is an empty node', async () => {
      await using zk = await connect();
      await zk.create('/counter', '41\n');
      expect(await new Counter(zk, '/counter').add(1n)).toBe(42n);
      await zk.create('/empty');
      expect(await new Counter(zk, '/empty').add(1n)).toBe(1n);
    });

    test.each([
      ['words', 'forty-two'],
      ['a fraction', '4.2'],
      ['settings', '42\n#quorate settings 1:abc'],
    ])('refuses %s as a number, and leaves them as they are', async (_, text) => {
      await using zk = await connect();
      await zk.create('/counter', text);
      const counter = new Counter(zk, '/counter');
      expect(await codeOf(counter.get())).toBe('wrong-kind');
      expect(await codeOf(counter.add(1n))).toBe('wrong-kind');
      expect(await codeOf(counter.compareAndSet(0n, 1n))).toBe('wrong-kind');
      expect(await textAt(zk, '/counter')).toBe(text);
    });

    test('a counter that is deleted counts from 0 again', async () => {
      await using zk = await connect();
      const counter = new Counter(zk, '/counter');
      await counter.add(5n);
      await zk.delete('/counter');
      expect(await counter.add(1n)).toBe(1n);
    });

    test('bad input is refused before anything is touched', async () => {
      await using zk = await connect();
      for (const path of ['counter', '/a//b', '', '/a/', 7 as never]) {
        expect(await codeOf(() => new Counter(zk, path))).toBe('invalid-argument');
      }
      const counter = new Counter(zk, '/counter');
      for (const call of [
        () => counter.add(1 as never),
        () => counter.set('1' as never),
        () => counter.compareAndSet(0n, undefined as never),
      ]) {
        expect(await codeOf(call)).toBe('invalid-argument');
      }
      expect((await zk.children('/')).names).toEqual([]);
    });

    test('an aborted addition rejects with the reason, and those behind it in line go on', async () => {
      await using zk = await connect();
      const counter = new Counter(zk, '/counter');
      const reason = new Error('enough');
      await expect(counter.add(1n, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      expect(await zk.exists('/counter')).toBeUndefined();
      const controller = new AbortController();
      const [first, second, third] = [counter.add(1n), counter.add(1n, { signal: controller.signal }), counter.add(1n)];
      controller.abort(reason);
      await expect(second).rejects.toBe(reason);
      expect(await first).toBe(1n);
      expect(await third).toBe(2n);
    });

    test('a closed session is told as such', async () => {
      const zk = await connect();
      const counter = new Counter(zk, '/counter');
      await zk.close();
      expect(await codeOf(counter.get())).toBe('session-closed');
      expect(await codeOf(counter.add(1n))).toBe('session-closed');
    });
  });
}
