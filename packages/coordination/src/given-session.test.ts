import { Sessions, type ZooKeeper } from '@quorate/zookeeper';
import { expect, test } from 'vitest';
import { limits } from '../test/conformance/limits-schema.ts';
import {
  Barrier,
  Counter,
  DoubleBarrier,
  Election,
  Group,
  inLine,
  Lock,
  Mirror,
  memoryCoordination,
  multiLock,
  Queue,
  ReadWriteLock,
  Semaphore,
  Settings,
} from './index.ts';

const overOneSession: [string, (zk: ZooKeeper) => unknown][] = [
  ['Barrier', (zk) => new Barrier(zk, '/a')],
  ['Counter', (zk) => new Counter(zk, '/a')],
  ['DoubleBarrier', (zk) => new DoubleBarrier(zk, '/a', { size: 1 })],
  ['Lock', (zk) => new Lock(zk, '/a')],
  ['Queue', (zk) => new Queue(zk, '/a')],
  ['ReadWriteLock', (zk) => new ReadWriteLock(zk, '/a')],
  ['Semaphore', (zk) => new Semaphore(zk, '/a', { permits: 1 })],
];
const overAny: [string, (zk: ZooKeeper) => unknown][] = [
  ['Election', (zk) => new Election(zk, '/a')],
  ['Group', (zk) => new Group(zk, '/a')],
  ['Mirror', (zk) => new Mirror(zk, '/a')],
  ['Settings', (zk) => new Settings(zk, '/a', limits)],
];

test.each([...overOneSession, ...overAny])('%s says what it was given in place of a session', (_, make) => {
  for (const [given, said] of [
    [Promise.resolve(), 'not a promise: await connect(…)'],
    ['localhost:2181', 'not a string: await connect(…)'],
    [undefined, 'not undefined'],
    [null, 'not null'],
    [{}, 'not another object'],
  ] as const) {
    expect(() => make(given as never)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
    expect(() => make(given as never)).toThrow(`session, ${said}`);
  }
});

test.each(overOneSession)('%s, which is of one session, says so when it is given Sessions', async (_, make) => {
  await using sessions = new Sessions('127.0.0.1:1');
  expect(() => make(sessions as never)).toThrow('zk: expected a session, not Sessions: await sessions.session()');
});

test('several locks are refused unless each of them is one', () => {
  for (const given of [[undefined], ['/a'], [{ path: '/a' }]]) {
    expect(() => multiLock(given as never)).toThrow('locks: expected locks only');
  }
});

test('who looks on says for what there is a line, and how many of it to see', async () => {
  await using zk = memoryCoordination().connect();
  await using _ = await new Lock(zk, '/a').acquire();
  for (const kind of ['lok', '__proto__', 'constructor', undefined]) {
    await expect(inLine(zk, '/a', kind as never)).rejects.toThrow(
      'kind: expected "lock", "read-write lock", "permits" or "election"',
    );
    await expect(inLine(zk, '/none', kind as never)).rejects.toMatchObject({ argument: 'kind' });
  }
  for (const most of [Number.NaN, -1, 1.5, 'a', null]) {
    await expect(inLine(zk, '/a', 'lock', { most: most as never })).rejects.toMatchObject({ argument: 'most' });
  }
  for (const most of [1, Number.POSITIVE_INFINITY, undefined]) {
    expect(await inLine(zk, '/a', 'lock', { most })).toHaveLength(1);
  }
  await expect(inLine(Promise.resolve() as never, '/a', 'lock')).rejects.toMatchObject({ argument: 'zk' });
});
