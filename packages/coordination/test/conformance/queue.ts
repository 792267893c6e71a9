import { eventually } from '@quorate/testbed';
import type { ZooKeeper } from '@quorate/zookeeper';
import { describe, expect, test } from 'vitest';
import { Queue, type TakenItem } from '../../src/index.ts';
import { type Connect, childrenOf, codeOf, freshPath } from './store.ts';
import { codesOf } from './waiting.ts';

/** What a queue must do. `connect` opens another session of one and the same ZooKeeper. */
export function queueConformance(connect: Connect): void {
  describe('a queue', () => {
    const somewhere = (): string => `${freshPath('queue')}/below`;
    const drain = async <T>(queue: Queue<T>, count: number): Promise<T[]> => {
      const taken: T[] = [];
      for (let i = 0; i < count; i += 1) {
        await using item = await queue.take({ timeout: 10_000 });
        taken.push(item.data);
        await item.done();
      }
      return taken;
    };
    const left = async (zk: ZooKeeper, path: string): Promise<string[]> => {
      // What another session has done may not be on this one's member yet.
      await zk.sync(path);
      const lists = ['items', 'claims', 'takers'].map(async (kind) => (await zk.children(`${path}/${kind}`)).names);
      return (await Promise.all(lists)).flat();
    };

    test('gives out what was put, in order of arrival, each item once', async () => {
      await using one = await connect();
      await using two = await connect();
      const path = somewhere();
      const queue = new Queue<number>(one, path);
      for (let i = 0; i < 12; i += 1) await queue.put(i);
      expect(await queue.size()).toBe(12);
      expect(await drain(new Queue<number>(two, path), 12)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
      expect(await queue.size()).toBe(0);
      expect(await left(one, path)).toEqual([]);
    });

    test('priority comes before arrival, and the last priority is the default', async () => {
      await using zk = await connect();
      const queue = new Queue<string>(zk, somewhere(), { priorities: 3 });
      await queue.put('late 1');
      await queue.put('middle', { priority: 1 });
      await queue.put('late 2', { priority: 2 });
      await queue.put('urgent 1', { priority: 0 });
      await queue.put('urgent 2', { priority: 0 });
      await using item = await queue.take();
      expect([item.data, item.priority]).toEqual(['urgent 1', 0]);
      await item.done();
      expect(await drain(queue, 4)).toEqual(['urgent 2', 'middle', 'late 1', 'late 2']);
    });

    test('puts many in one step, or none', async () => {
      await using zk = await connect();
      const queue = new Queue<string>(zk, somewhere(), { maxSize: 4 });
      await queue.putMany([]);
      await queue.putMany(['a', 'b', 'c']);
      expect(await codeOf(queue.putMany(['d', 'e']))).toBe('queue-full');
      expect(await drain(queue, 3)).toEqual(['a', 'b', 'c']);
      expect(await queue.size()).toBe(0);
    });

    test('however many objects stand for a queue, a session leaves one node of its own in it', async () => {
      await using zk = await connect();
      const path = freshPath('queue');
      for (let count = 0; count < 20; count += 1) await new Queue(zk, path).put(count);
      expect(await childrenOf(zk, `${path}/puts`)).toHaveLength(1);
    });

    test('a full queue refuses a put, until something is done', async () => {
      await using zk = await connect();
      const queue = new Queue<string>(zk, somewhere(), { maxSize: 2 });
      await queue.put('a');
      await queue.put('b');
      expect(await codeOf(queue.put('c'))).toBe('queue-full');
      const item = await queue.take();
      expect(await codeOf(queue.put('c'))).toBe('queue-full');
      await item.done();
      await queue.put('c');
      expect(await drain(queue, 2)).toEqual(['b', 'c']);
    });

    test('an empty queue makes takers wait, and each item wakes the one that came first', async () => {
      await using one = await connect();
      await using two = await connect();
      const path = somewhere();
      const takers: Promise<TakenItem<number>>[] = [];
      for (const zk of [one, two, one]) {
        takers.push(new Queue<number>(zk, path).take());
        await eventually('it stands in line', async () => {
          const { names } = await one.children(`${path}/takers`);
          return names.length === takers.length;
        });
      }
      const queue = new Queue<number>(two, path);
      for (const [index, taker] of takers.entries()) {
        await queue.put(index);
        const item = await taker;
        expect(item.data).toBe(index);
        await item.done();
      }
      expect(await left(one, path)).toEqual([]);
    });

    test('an item that is held is nobody else’s, and comes back to its place when it is given back', async () => {
      await using one = await connect();
      await using two = await connect();
      const path = somewhere();
      const queue = new Queue<string>(one, path);
      await queue.putMany(['first', 'second']);
      const held = await queue.take();
      expect([held.data, held.attempt]).toEqual(['first', 1]);
      const other = await new Queue<string>(two, path).take();
      expect(other.data).toBe('second');
      expect(await codeOf(new Queue<string>(two, path).take({ timeout: 50 }))).toBe('deadline-exceeded');
      expect(await queue.size()).toBe(2);
      await held.release();
      expect(held.signal.reason).toMatchObject({ code: 'lease-released' });
      await other.release();
      const again = await new Queue<string>(two, path).take();
      expect([again.data, again.attempt]).toEqual(['first', 2]);
      expect(again.token).toBeGreaterThan(held.token);
      await again.done();
      expect(again.signal.reason).toMatchObject({ code: 'lease-released' });
      expect(await drain(queue, 1)).toEqual(['second']);
    });

    test('a block that ends without done gives the item back, also to one that waits', async () => {
      await using zk = await connect();
      const queue = new Queue<string>(zk, somewhere());
      await queue.put('x');
      let waiting: Promise<TakenItem<string>> | undefined;
      const failed = (async () => {
        await using item = await queue.take();
        waiting = queue.take();
        throw new Error(`could not do ${item.data}`);
      })();
      await expect(failed).rejects.toThrow('could not do x');
      const item = await (waiting as Promise<TakenItem<string>> | undefined);
      expect(item?.attempt).toBe(2);
      await item?.done();
      await item?.[Symbol.asyncDispose]();
      await item?.release();
      expect(await queue.size()).toBe(0);
    });

    test('the taker dies: another gets its item', async () => {
      await using zk = await connect();
      const path = somewhere();
      const queue = new Queue<string>(zk, path);
      await queue.put('x');
      const mortal = await connect();
      const held = await new Queue<string>(mortal, path).take();
      const waiting = queue.take();
      await mortal.close();
      expect(held.signal.reason).toMatchObject({ code: 'lease-lost' });
      expect(await codeOf(held.done())).toBe('lease-lost');
      await held.release();
      const item = await waiting;
      expect([item.data, item.attempt]).toEqual(['x', 2]);
      expect(item.token).toBeGreaterThan(held.token);
      await item.done();
      expect(await left(zk, path)).toEqual([]);
    });

    test('one in line dies or gives up: those behind it move up', async () => {
      await using zk = await connect();
      const path = somewhere();
      const queue = new Queue<string>(zk, path);
      const mortal = await connect();
      const dying = codeOf(new Queue<string>(mortal, path).take());
      await eventually('it stands in line', async () => (await zk.children(`${path}/takers`)).names.length === 1);
      const reason = new Error('enough');
      const controller = new AbortController();
      const aborted = queue.take({ signal: controller.signal });
      const waiting = queue.take();
      await eventually('they stand in line', async () => (await zk.children(`${path}/takers`)).names.length === 3);
      controller.abort(reason);
      await expect(aborted).rejects.toBe(reason);
      await mortal.close();
      expect(await dying).toBe('session-closed');
      await queue.put('x');
      await (await waiting).done();
      expect(await codeOf(queue.take({ timeout: 20 }))).toBe('deadline-exceeded');
      await expect(queue.take({ signal: controller.signal })).rejects.toBe(reason);
      await eventually('nothing is left', async () => (await left(zk, path)).length === 0);
    });

    test('a take that is aborted as its item comes leaves the item to others', async () => {
      await using zk = await connect();
      const path = somewhere();
      const queue = new Queue<number>(zk, path);
      for (let i = 0; i < 40; i += 1) {
        const controller = new AbortController();
        const taking = queue.take({ signal: controller.signal }).then(
          (item) => item.release(),
          () => undefined,
        );
        const putting = queue.put(i);
        for (let turn = 0; turn < i; turn += 1) await zk.exists(path);
        controller.abort();
        await Promise.all([taking, putting]);
      }
      expect(await drain(queue, 40)).toEqual(Array.from({ length: 40 }, (_, i) => i));
      await eventually('nothing is left', async () => (await left(zk, path)).length === 0);
    });

    test('many takers and putters: each item is done once, none is lost', async () => {
      await using one = await connect();
      await using two = await connect();
      const path = somewhere();
      const done: number[] = [];
      const work = async (zk: ZooKeeper): Promise<void> => {
        const queue = new Queue<number>(zk, path);
        for (;;) {
          await using item = await queue.take();
          if (item.data < 0) {
            await item.done();
            return;
          }
          done.push(item.data);
          await item.done();
        }
      };
      const workers = [one, two, one, two, one].map((zk) => work(zk));
      const putters = [one, two].map(async (zk, half) => {
        const queue = new Queue<number>(zk, path);
        await Promise.all(Array.from({ length: 50 }, (_, i) => queue.put(half * 50 + i)));
      });
      await Promise.all(putters);
      await new Queue<number>(one, path).putMany([-1, -1, -1, -1, -1]);
      await Promise.all(workers);
      expect(done.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
      expect(await left(one, path)).toEqual([]);
    });

    test('a guarded transaction commits only while the item is held', async () => {
      await using zk = await connect();
      await using other = await connect();
      const path = somewhere();
      const queue = new Queue<string>(zk, path);
      await queue.put('x');
      const held = await queue.take();
      await held.guard(zk.transaction().create(`${path}/result`, 'one')).commit();
      const late = held.guard(other.transaction().set(`${path}/result`, 'two'));
      await held.release();
      expect(() => held.guard(zk.transaction())).toThrow(expect.objectContaining({ code: 'lease-released' }));
      const again = await new Queue<string>(other, path).take();
      expect(await codeOf(late.commit())).toBe('no-node');
      await again.guard(other.transaction().set(`${path}/result`, 'three')).commit();
      await zk.sync(path);
      expect((await zk.get(`${path}/result`)).data.toString()).toBe('three');
    });

    test('somebody deletes the claim: the lease ends at once, and another gets the item', async () => {
      await using zk = await connect();
      await using other = await connect();
      const path = somewhere();
      const queue = new Queue<string>(zk, path);
      await queue.put('x');
      const held = await queue.take();
      await other.set(held.paths.own, 'touched');
      expect(held.signal.aborted).toBe(false);
      const next = new Queue<string>(other, path).take();
      await other.delete(held.paths.own);
      await eventually('it is told', () => held.signal.aborted);
      expect(held.signal.reason).toMatchObject({ code: 'lease-lost' });
      expect(await codeOf(held.done())).toBe('lease-lost');
      await (await next).done();
      await held.release();
      expect(await left(zk, path)).toEqual([]);
    });

    test('somebody deletes the claim just before it is done: it is lost, and another gets the item', async () => {
      await using zk = await connect();
      const path = somewhere();
      const queue = new Queue<string>(zk, path);
      await queue.put('x');
      const held = await queue.take();
      const deleting = zk.delete(held.paths.own);
      expect(await codeOf(held.done())).toBe('lease-lost');
      await deleting;
      await held.release();
      const again = await queue.take({ timeout: 10_000 });
      expect([again.data, again.attempt]).toEqual(['x', 2]);
      await again.done();
    });

    test('done twice is done; done after giving back is refused', async () => {
      await using zk = await connect();
      const queue = new Queue<string>(zk, somewhere());
      await queue.putMany(['x', 'y']);
      const item = await queue.take();
      await Promise.all([item.done(), item.done()]);
      await item.done();
      const second = await queue.take();
      await second.release();
      expect(await codeOf(second.done())).toBe('lease-released');
      expect(await queue.size()).toBe(1);
    });

    test('bytes go through a serializer, and what it cannot read is held all the same', async () => {
      await using zk = await connect();
      const path = somewhere();
      const serializer = {
        encode: (item: number) => Uint8Array.of(item),
        decode: (bytes: Buffer): number => {
          if (bytes.length !== 1) throw new Error('not one byte');
          return bytes[0] ?? 0;
        },
      };
      const queue = new Queue<number>(zk, path, { serializer });
      await new Queue<string>(zk, path).put('text');
      await queue.put(7);
      const bad = await queue.take();
      expect(() => bad.data).toThrow(expect.objectContaining({ code: 'unreadable-item' }));
      expect(bad.bytes.toString()).toBe('"text"');
      await bad.done();
      expect(await drain(queue, 1)).toEqual([7]);
    });

    test('a closed session is a typed error', async () => {
      const zk = await connect();
      const queue = new Queue<string>(zk, somewhere());
      await queue.put('x');
      const item = await queue.take();
      const waiting = codeOf(queue.take());
      await zk.close();
      expect(await waiting).toBe('session-closed');
      expect(await codeOf(item.done())).toBe('lease-lost');
      const calls = [queue.put('y'), queue.take(), queue.size()];
      expect(await codesOf(calls)).toEqual(Array(3).fill('session-closed'));
    });

    test('a queue that is deleted begins anew', async () => {
      await using zk = await connect();
      const path = somewhere();
      const queue = new Queue<string>(zk, path);
      await queue.put('old');
      await zk.delete(path, { recursive: true });
      expect(await queue.size()).toBe(0);
      await queue.put('new');
      expect(await drain(queue, 1)).toEqual(['new']);
    });

    test('a path that holds something else is refused, and stays', async () => {
      await using zk = await connect();
      const path = somewhere();
      await zk.create(path, '{"config":1}', { parents: true });
      const queue = new Queue<string>(zk, path);
      const calls = (): Promise<unknown>[] => [queue.put('x'), queue.take()];
      expect(await codesOf(calls())).toEqual(['wrong-kind', 'wrong-kind']);
      await zk.set(path, '');
      await zk.create(`${path}/child`);
      expect(await codesOf(calls())).toEqual(['wrong-kind', 'wrong-kind']);
      expect((await zk.children(path)).names).toEqual(['child']);
      await zk.delete(`${path}/child`);
      await queue.put('x');
    });

    test.each([
      ['path', (zk: ZooKeeper) => new Queue(zk, '').put(1)],
      ['path', (zk: ZooKeeper) => new Queue(zk, '/').put(1)],
      ['zk', () => new Queue(undefined as never, '/q').put(1)],
      ['priorities', (zk: ZooKeeper) => new Queue(zk, '/q', { priorities: 0 }).put(1)],
      ['priorities', (zk: ZooKeeper) => new Queue(zk, '/q', { priorities: 1_001 }).put(1)],
      ['maxSize', (zk: ZooKeeper) => new Queue(zk, '/q', { maxSize: 2.5 }).put(1)],
      ['serializer', (zk: ZooKeeper) => new Queue(zk, '/q', { serializer: {} as never }).put(1)],
      [
        'serializer',
        (zk: ZooKeeper) => new Queue(zk, '/q', { serializer: { encode: () => 5 as never, decode: Number } }).put(1),
      ],
      ['priority', (zk: ZooKeeper) => new Queue(zk, '/q').put(1, { priority: 1 })],
      ['priority', (zk: ZooKeeper) => new Queue(zk, '/q', { priorities: 2 }).put(1, { priority: -1 })],
      ['item', (zk: ZooKeeper) => new Queue(zk, '/q').put(undefined)],
      ['item', (zk: ZooKeeper) => new Queue(zk, '/q').putMany([1, 5n])],
      ['signal', (zk: ZooKeeper) => new Queue(zk, '/q').put(1, { signal: 5 as never })],
      ['items', (zk: ZooKeeper) => new Queue(zk, '/q').putMany('text' as never)],
      ['timeout', (zk: ZooKeeper) => new Queue(zk, '/q').take({ timeout: -1 })],
    ])('refuses a bad %s before anything is sent (%#)', async (argument, call) => {
      await using zk = await connect();
      const refused = Promise.resolve().then((): Promise<unknown> => call(zk));
      await expect(refused).rejects.toMatchObject({ code: 'invalid-argument', argument });
      expect(await zk.exists('/q')).toBeUndefined();
    });
  });
}
