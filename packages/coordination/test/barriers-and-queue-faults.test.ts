import { randomUUID } from 'node:crypto';
import { eventually, type ZooKeeper as Servers, Testbed } from '@quorate/testbed';
import { connect, type Transaction, type ZooKeeper } from '@quorate/zookeeper';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Barrier, DoubleBarrier, Queue } from '../src/index.ts';
import { childrenOf, codeOf } from './conformance/store.ts';
import { pending } from './conformance/waiting.ts';
import { type Breakable, breakable } from './cut-off.ts';
import { beforeWrite, type Loss, loseMessage } from './lost-message.ts';

let bed: Testbed & { zookeeper: Servers };

beforeAll(async () => {
  // Short ticks, so that sessions may be short.
  bed = await Testbed.start({ zookeeper: { members: 1, config: { tickTime: 100 } } });
});
afterAll(() => bed?.[Symbol.asyncDispose]());

interface Subject extends Breakable {
  /** A session that no fault touches. */
  readonly other: ZooKeeper;
  readonly path: string;
}

async function subject(sessionTimeout?: number): Promise<Subject> {
  const mine = await breakable(bed, 'zookeeper-1', sessionTimeout === undefined ? {} : { sessionTimeout });
  const other = await connect(bed.zookeeper.url);
  const end = async (): Promise<void> => {
    await mine[Symbol.asyncDispose]();
    await other.close();
  };
  return { ...mine, other, path: `/faults/${randomUUID()}`, [Symbol.asyncDispose]: end };
}

const losses: readonly Loss['lost'][] = ['reply', 'request'];

describe.each(losses)('the %s is lost', (lost) => {
  test('of raising and of lifting a barrier: it is raised, and lifted', async () => {
    await using s = await subject();
    const barrier = new Barrier(s.zk, s.path);
    const there = async (): Promise<boolean> => (await s.other.exists(s.path)) !== undefined;
    await s.other.create('/faults', '').catch(() => undefined);
    await Promise.all([loseMessage(s.zk, s.link, { write: 1, lost, isDone: there }), barrier.raise()]);
    expect(await there()).toBe(true);
    const waiting = pending(new Barrier(s.other, s.path).wait());
    await Promise.all([
      loseMessage(s.zk, s.link, { write: 1, lost, isDone: async () => !(await there()) }),
      barrier.lift(),
    ]);
    await waiting.outcome;
    expect(await there()).toBe(false);
  });

  test.each([
    ['coming', 1],
    ['opening', 2],
  ])('of %s to a double barrier: all are let in, and leave nothing behind', async (_, write) => {
    await using s = await subject();
    const mine = new DoubleBarrier(s.zk, s.path, { size: 2 });
    const others = new DoubleBarrier(s.other, s.path, { size: 2 });
    const waiting = pending(others.enter());
    await eventually('the other has come', async () => (await childrenOf(s.other, s.path)).length === 1);
    const isDone = async (): Promise<boolean> => (await childrenOf(s.other, s.path)).length > write;
    await Promise.all([loseMessage(s.zk, s.link, { write, lost, isDone }), mine.enter()]);
    await waiting.outcome;
    expect(await childrenOf(s.other, s.path)).toHaveLength(3);
    await Promise.all([mine.leave(), others.leave()]);
    expect(await childrenOf(s.other, s.path)).toEqual([]);
  });

  test.each(['first', 'last'])(
    'of leaving a double barrier as the %s by name: all have left, and it is closed',
    async (place) => {
      await using s = await subject();
      const mine = new DoubleBarrier(s.zk, s.path, { size: 2 });
      const others = new DoubleBarrier(s.other, s.path, { size: 2 });
      const isFirst = async (): Promise<boolean> => {
        const [first] = (await childrenOf(s.other, s.path)).filter((name) => name !== 'ready').sort();
        return (await s.other.get(`${s.path}/${first}`)).stat.ephemeralOwner === s.zk.id;
      };
      // Names are chance: in one round of two it is as wanted.
      for (;;) {
        await Promise.all([mine.enter(), others.enter()]);
        if ((await isFirst()) === (place === 'first')) break;
        await Promise.all([mine.leave(), others.leave()]);
      }
      const leaving = others.leave();
      if (place === 'first')
        await eventually('it is alone', async () => (await childrenOf(s.other, s.path)).length === 2);
      const before = (await childrenOf(s.other, s.path)).length;
      const isDone = async (): Promise<boolean> => (await childrenOf(s.other, s.path)).length < before;
      await Promise.all([loseMessage(s.zk, s.link, { write: 1, lost, isDone }), mine.leave(), leaving]);
      expect(await childrenOf(s.other, s.path)).toEqual([]);
      await Promise.all([mine.enter(), others.enter()]);
      await Promise.all([mine.leave(), others.leave()]);
    },
  );

  test('of a put: exactly one item', async () => {
    await using s = await subject();
    const queue = new Queue<string>(s.zk, s.path);
    await queue.size();
    await new Queue<string>(s.other, s.path).put('before');
    // The first write of all makes the receipt.
    for (const [item, what] of [
      ['one', 'puts'],
      ['two', 'items'],
      ['three', 'items'],
    ] as const) {
      const before = await new Queue(s.other, s.path).size();
      const there = (await childrenOf(s.other, `${s.path}/${what}`)).length;
      const isDone = async (): Promise<boolean> => (await childrenOf(s.other, `${s.path}/${what}`)).length > there;
      await Promise.all([loseMessage(s.zk, s.link, { write: 1, lost, isDone }), queue.put(item)]);
      expect(await queue.size()).toBe(before + 1);
    }
    await queue.put('four');
    const seen: string[] = [];
    for (let i = 0; i < 5; i += 1) {
      await using item = await queue.take();
      seen.push(item.data);
      await item.done();
    }
    expect(seen).toEqual(['before', 'one', 'two', 'three', 'four']);
  });

  test('of a put that is taken and done before its sender hears of it: it is not put again', async () => {
    await using s = await subject();
    const others = new Queue<string>(s.other, s.path);
    const queue = new Queue<string>(s.zk, s.path);
    await others.put('make it');
    await (await others.take()).done();
    await queue.size();
    const done = (async () => {
      await using item = await others.take();
      await item.done();
      return item.data;
    })();
    const isDone = async (): Promise<boolean> => (await done) === 'once';
    await Promise.all([loseMessage(s.zk, s.link, { write: 2, lost, isDone }), queue.put('once')]);
    expect(await done).toBe('once');
    expect(await others.size()).toBe(0);
  });

  test.each([
    ['standing in line', 1, 'takers', 1],
    ['claiming an item', 2, 'claims', 1],
  ] as const)('of %s: the item is taken once', async (_, write, list, count) => {
    await using s = await subject();
    const others = new Queue<string>(s.other, s.path);
    await others.put('x');
    const queue = new Queue<string>(s.zk, s.path);
    await queue.size();
    const isDone = async (): Promise<boolean> => (await childrenOf(s.other, `${s.path}/${list}`)).length === count;
    const [, item] = await Promise.all([loseMessage(s.zk, s.link, { write, lost, isDone }), queue.take()]);
    expect(item.signal.aborted).toBe(false);
    expect([item.data, item.attempt]).toEqual(['x', 1]);
    expect(await codeOf(others.take({ timeout: 50 }))).toBe('deadline-exceeded');
    await item.done();
    for (const kind of ['items', 'claims', 'takers'])
      expect(await childrenOf(s.other, `${s.path}/${kind}`)).toEqual([]);
  });

  test('of done: it is done once, and not given out again', async () => {
    await using s = await subject();
    const others = new Queue<string>(s.other, s.path);
    await others.put('x');
    const item = await new Queue<string>(s.zk, s.path).take();
    const isDone = async (): Promise<boolean> => (await others.size()) === 0;
    await Promise.all([loseMessage(s.zk, s.link, { write: 1, lost, isDone }), item.done()]);
    expect(await isDone()).toBe(true);
    expect(await childrenOf(s.other, `${s.path}/claims`)).toEqual([]);
    await item.done();
  });

  test('of giving back: another gets the item', async () => {
    await using s = await subject();
    const others = new Queue<string>(s.other, s.path);
    await others.put('x');
    const item = await new Queue<string>(s.zk, s.path).take();
    const isDone = async (): Promise<boolean> => (await childrenOf(s.other, `${s.path}/claims`)).length === 0;
    await Promise.all([loseMessage(s.zk, s.link, { write: 1, lost, isDone }), item.release()]);
    const again = await others.take();
    expect(again.attempt).toBe(2);
    await again.done();
  });

  test('of claiming, and the wait is aborted meanwhile: others get the item', async () => {
    await using s = await subject();
    const others = new Queue<string>(s.other, s.path);
    await others.put('x');
    const queue = new Queue<string>(s.zk, s.path);
    await queue.size();
    const controller = new AbortController();
    const isDone = async (): Promise<boolean> => {
      const claimed = (await childrenOf(s.other, `${s.path}/claims`)).length === 1;
      if (claimed) controller.abort(new Error('enough'));
      return claimed;
    };
    const losing = loseMessage(s.zk, s.link, { write: 2, lost, isDone }).then(() =>
      controller.abort(new Error('enough')),
    );
    const taking = queue.take({ signal: controller.signal });
    // Where its request is lost it may have been quick enough to claim on the next connection: then it is ours to give back.
    await taking.then(
      (item) => item.release(),
      (error) => expect(error.message).toBe('enough'),
    );
    await losing;
    await (await others.take({ timeout: 20_000 })).done();
    await eventually('nothing is left', async () => {
      const lists = ['items', 'claims', 'takers'].map((kind) => childrenOf(s.other, `${s.path}/${kind}`));
      return (await Promise.all(lists)).flat().length === 0;
    });
  });
});

test.each(['', '/puts'])(
  'the reply of a put is lost, the item is done, and somebody deletes what could tell of it (%j): ambiguous, and not put again',
  async (deleted) => {
    await using s = await subject();
    const others = new Queue<string>(s.other, s.path);
    await others.put('make it');
    await (await others.take()).done();
    const queue = new Queue<string>(s.zk, s.path);
    await queue.size();
    const isDone = async (): Promise<boolean> => {
      await (await others.take()).done();
      for (const name of await childrenOf(s.other, `${s.path}/puts`)) await s.other.delete(`${s.path}/puts/${name}`);
      if (deleted === '') await s.other.delete(s.path, { recursive: true });
      return true;
    };
    const [, code] = await Promise.all([
      loseMessage(s.zk, s.link, { write: 2, lost: 'reply', isDone }),
      codeOf(queue.put('once')),
    ]);
    expect(code).toBe('ambiguous');
    expect(await others.size()).toBe(0);
  },
);

test('the reply of lifting is lost, and somebody raises the barrier again: that one stays', async () => {
  await using s = await subject();
  const barrier = new Barrier(s.zk, s.path);
  await barrier.raise();
  const isDone = async (): Promise<boolean> => {
    if (await s.other.exists(s.path)) return false;
    await new Barrier(s.other, s.path).raise();
    return true;
  };
  await Promise.all([loseMessage(s.zk, s.link, { write: 1, lost: 'reply', isDone }), barrier.lift()]);
  expect(await s.other.exists(s.path)).toBeDefined();
});

test('one is slow to hear that its round is over, and the next is open by then: that one stays open', async () => {
  await using s = await subject();
  const slow = new DoubleBarrier(s.zk, s.path, { size: 2 });
  const [fast, late] = [1, 2].map(() => new DoubleBarrier(s.other, s.path, { size: 2 })) as [
    DoubleBarrier,
    DoubleBarrier,
  ];
  // Names are chance, and the first by name leaves last: in one round of two it is the other.
  for (;;) {
    await Promise.all([slow.enter(), fast.enter()]);
    const [first] = (await childrenOf(s.other, s.path)).filter((name) => name !== 'ready').sort();
    if ((await s.other.get(`${s.path}/${first}`)).stat.ephemeralOwner !== s.zk.id) break;
    await Promise.all([slow.leave(), fast.leave()]);
  }
  const leaving = pending(slow.leave());
  await eventually('it has left, and waits', async () => {
    const { length } = await childrenOf(s.other, s.path);
    return length === 2 && (await bed.zookeeper.figure('zk_watch_count')) === 1;
  });
  await s.link.set({ blackHole: 'zookeeper-1' });
  await fast.leave();
  await Promise.all([fast.enter(), late.enter()]);
  await s.link.heal();
  await leaving.outcome;
  expect(await childrenOf(s.other, s.path)).toContain('ready');
  await Promise.all([fast.leave(), late.leave()]);
  expect(await childrenOf(s.other, s.path)).toEqual([]);
});

test.concurrent('a taker that is cut off: its lease ends first, then another gets the item', async () => {
  await using s = await subject(1_000);
  const others = new Queue<string>(s.other, s.path);
  await others.put('x');
  const item = await new Queue<string>(s.zk, s.path).take();
  const ends: number[] = [];
  item.signal.addEventListener('abort', () => ends.push(performance.now()));
  await s.link.set({ blackHole: true });
  const again = await others.take({ timeout: 20_000 });
  expect(ends).toHaveLength(1);
  expect(ends[0]).toBeLessThan(performance.now());
  expect(item.signal.reason).toMatchObject({ code: 'lease-suspended' });
  expect(again.token).toBeGreaterThan(item.token);
  await s.link.heal();
  await eventually('it is lost', () => s.zk.state === 'lost');
  expect(await codeOf(item.done())).toBe('lease-lost');
  await item.release();
  await again.done();
});

test.concurrent('a connection that is reset ends the lease, and the item may still be done or given back', async () => {
  await using s = await subject();
  const queue = new Queue<string>(s.zk, s.path);
  await queue.putMany(['x', 'y']);
  const [x, y] = [await queue.take(), await queue.take()];
  await s.link.reset();
  await eventually('they are told', () => x.signal.aborted && y.signal.aborted);
  expect(x.signal.reason).toMatchObject({ code: 'lease-suspended' });
  expect(() => x.guard(s.zk.transaction())).toThrow(expect.objectContaining({ code: 'lease-suspended' }));
  await x.done();
  await y.release();
  const again = await new Queue<string>(s.other, s.path).take();
  expect([again.data, again.attempt]).toEqual(['y', 2]);
  await again.done();
});

test.concurrent('the session is lost while waiting: a typed error, and the others go on', async () => {
  await using s = await subject(1_000);
  const [raised, double, empty] = ['a', 'b', 'c'].map((name) => `${s.path}/${name}`) as [string, string, string];
  await new Barrier(s.other, raised).raise();
  const calls = [
    new Barrier(s.zk, raised).wait(),
    new DoubleBarrier(s.zk, double, { size: 2 }).enter(),
    new Queue(s.zk, empty).take(),
  ].map(codeOf);
  await eventually('they wait', async () => {
    return (
      (await childrenOf(s.other, double)).length === 1 && (await childrenOf(s.other, `${empty}/takers`)).length === 1
    );
  });
  await s.link.set({ blackHole: true });
  expect(await Promise.all(calls)).toEqual(['session-lost', 'session-lost', 'session-lost']);
  await s.link.heal();
  await eventually('its member is gone', async () => (await childrenOf(s.other, double)).length === 0);
  const queue = new Queue<string>(s.other, empty);
  const taking = queue.take();
  await queue.put('x');
  await (await taking).done();
  const [a, b] = [1, 2].map(() => new DoubleBarrier(s.other, double, { size: 2 })) as [DoubleBarrier, DoubleBarrier];
  await Promise.all([a.enter(), b.enter()]);
  await Promise.all([a.leave(), b.leave()]);
});

test.concurrent('the session is lost while a put is under way: ambiguous, for nobody can say', async () => {
  await using s = await subject(1_000);
  const queue = new Queue<string>(s.zk, s.path);
  await queue.put('x');
  const sending = beforeWrite(s.zk, 1, () => void s.link.set({ blackHole: 'zookeeper-1' }));
  expect(await codeOf(queue.put('y'))).toBe('ambiguous');
  await sending;
});

test('a member leaves between being counted and the opening: it does not open', async () => {
  await using zk = await connect(bed.zookeeper.url);
  const path = `/faults/${randomUUID()}`;
  const controller = new AbortController();
  const leaving = new DoubleBarrier(zk, path, { size: 2 }).enter({ signal: controller.signal });
  await eventually('one has come', async () => (await childrenOf(zk, path)).length === 1);
  const outcomes: string[] = [];
  let openings = 0;
  // The opener is held back, with its count in hand, until the other has gone.
  const slow = new Proxy(zk, {
    get: (target, name) => {
      const value = Reflect.get(target, name, target);
      if (name !== 'transaction') return typeof value === 'function' ? value.bind(target) : value;
      return (): Transaction => {
        const transaction = target.transaction();
        const commit = transaction.commit.bind(transaction);
        transaction.commit = async (options) => {
          openings += 1;
          if (openings === 1) {
            controller.abort(new Error('enough'));
            await eventually('it has gone', async () => (await childrenOf(zk, path)).length === 1);
          }
          const committed = commit(options);
          outcomes.push(await codeOf(committed));
          return await committed;
        };
        return transaction;
      };
    },
  });
  const opener = pending(new DoubleBarrier(slow, path, { size: 2 }).enter());
  await expect(leaving).rejects.toThrow('enough');
  await eventually('it has tried', () => outcomes.length === 1);
  expect(outcomes).toEqual(['no-node']);
  expect(opener.isSettled).toBe(false);
  expect(await childrenOf(zk, path)).toHaveLength(1);
  await new DoubleBarrier(zk, path, { size: 2 }).enter();
  await opener.outcome;
});

test('a wait that has come to its end leaves no watch behind', async () => {
  await using zk = await connect(bed.zookeeper.url);
  const watches = (count: number): Promise<boolean> =>
    eventually(`${count} watches`, async () => (await bed.zookeeper.figure('zk_watch_count')) === count);
  await watches(0);
  const queue = new Queue<string>(zk, `/faults/${randomUUID()}`);
  const taking = queue.take();
  await watches(2);
  await queue.put('x');
  const item = await taking;
  // That of its own claim.
  await watches(1);
  await item.release();
  await watches(0);
  const barrier = new Barrier(zk, `/faults/${randomUUID()}`);
  await barrier.raise();
  const waiting = barrier.wait();
  await watches(1);
  await barrier.lift();
  await waiting;
  await watches(0);
});

test('waits that are aborted or run out of time leave no node and no watch behind', async () => {
  await using zk = await connect(bed.zookeeper.url);
  await using other = await connect(bed.zookeeper.url);
  const path = `/faults/${randomUUID()}`;
  const [raised, double, empty] = ['a', 'b', 'c'].map((name) => `${path}/${name}`) as [string, string, string];
  await new Barrier(zk, raised).raise();
  const queue = new Queue(zk, empty);
  for (let round = 0; round < 20; round += 1) {
    const controller = new AbortController();
    const { signal } = controller;
    const calls = [
      new Barrier(zk, raised).wait({ signal }),
      new Barrier(zk, raised).wait({ timeout: round }),
      new DoubleBarrier(zk, double, { size: 5 }).enter({ signal }),
      new DoubleBarrier(zk, double, { size: 5 }).enter({ timeout: round }),
      queue.take({ signal }),
      queue.take({ timeout: round }),
    ];
    const codes = calls.map((call) => codeOf(call));
    for (let turn = 0; turn < round; turn += 1) await zk.exists('/');
    controller.abort(new DOMException('enough', 'AbortError'));
    expect(new Set(await Promise.all(codes))).toEqual(new Set(['AbortError: enough', 'deadline-exceeded']));
  }
  await eventually('no node and no watch is left', async () => {
    const nodes = [double, `${empty}/takers`, `${empty}/claims`, `${empty}/puts`].map((each) =>
      childrenOf(other, each),
    );
    const left = (await Promise.all(nodes)).flat();
    const watches = await bed.zookeeper.figure('zk_watch_count');
    if (left.length + watches > 0) throw new Error(`${left.length} nodes and ${watches} watches`);
    return true;
  });
});
