import { QuorateError } from '@quorate/core';
import type { ZooKeeper } from '@quorate/zookeeper';
import { expect, test } from 'vitest';
import { atCommit } from '../test/at-commit.ts';
import { DoubleBarrier, memoryCoordination, Semaphore } from './index.ts';

const path = '/limits/uploads';
const stored = async (zk: ZooKeeper): Promise<string> => (await zk.get(path)).data.toString();

test.each([undefined, ''])('who is slower to write it does not overwrite it (the node was %j)', async (data) => {
  const memory = memoryCoordination();
  await using fast = memory.connect();
  await using slow = memory.connect();
  if (data !== undefined) await fast.create(path, data, { parents: true });
  const overtaken = Promise.withResolvers<void>();
  const late = new Proxy(slow, {
    get(zk, name) {
      const value = Reflect.get(zk, name, zk);
      if (name === 'set' || name === 'create') {
        return async (...args: unknown[]) => {
          await overtaken.promise;
          return value.apply(zk, args);
        };
      }
      return typeof value === 'function' ? value.bind(zk) : value;
    },
  });
  const refused = new Semaphore(late, path, { permits: 2 }).acquire();
  refused.catch(() => undefined);
  // What it has asked is answered by now.
  await slow.sync('/');
  await using _ = await new Semaphore(fast, path, { permits: 1 }).acquire();
  overtaken.resolve();
  await expect(refused).rejects.toMatchObject({ code: 'different-number', stored: 1, said: 2 });
  expect(await stored(fast)).toBe('quorate.semaphore 1');
});

test.each(['create', 'set'] as const)('a %s whose reply is lost is looked for', async (write) => {
  const memory = memoryCoordination();
  await using zk = memory.connect();
  if (write === 'set') await zk.create(path, '', { parents: true });
  memory.loseReply(zk, write);
  await using _ = await new Semaphore(zk, path, { permits: 1 }).acquire();
  expect(await stored(zk)).toBe('quorate.semaphore 1');
});

test('a change whose reply is lost is looked for, and done once', async () => {
  const memory = memoryCoordination();
  await using zk = memory.connect();
  const semaphore = new Semaphore(zk, path, { permits: 1 });
  await (await semaphore.acquire()).release();
  const { version } = (await zk.get(path)).stat;
  memory.loseReply(zk, 'transaction');
  await semaphore.resize(2);
  expect(await stored(zk)).toBe('quorate.semaphore 2');
  expect((await zk.get(path)).stat.version).toBe(version + 1);
});

test('a change before which somebody has written the same number again is tried again', async () => {
  const memory = memoryCoordination();
  await using zk = memory.connect();
  await using other = memory.connect();
  await (await new Semaphore(other, path, { permits: 1 }).acquire()).release();
  let commits = 0;
  const changing = atCommit(zk, async (commit) => {
    commits += 1;
    if (commits === 1) await other.set(path, 'quorate.semaphore 1');
    return await commit();
  });
  await new Semaphore(changing, path, { permits: 1 }).resize(2);
  expect([commits, await stored(other)]).toEqual([2, 'quorate.semaphore 2']);
});

test('a change that is aborted once it was sent may have happened', async () => {
  const memory = memoryCoordination();
  await using zk = memory.connect();
  const barrier = new DoubleBarrier(zk, path, { size: 1 });
  await barrier.enter();
  await barrier.leave();
  const stop = new AbortController();
  const changing = barrier.resize(2, { signal: stop.signal });
  changing.catch(() => undefined);
  for (;;) {
    await zk.sync('/');
    if ((await stored(zk)) === 'quorate.double-barrier 2') break;
  }
  stop.abort(new QuorateError('enough', { code: 'enough', happened: 'no' }));
  await changing.catch((error) => expect(error).toMatchObject({ happened: 'unknown' }));
});

test.each([0, -1, 1.5, '3', undefined, 10_001])(
  'resize(%j) is refused by name before anything is sent',
  async (bad) => {
    await using zk = memoryCoordination().connect();
    await expect(new Semaphore(zk, path, { permits: 1 }).resize(bad as never)).rejects.toMatchObject({
      argument: 'permits',
    });
    await expect(new DoubleBarrier(zk, path, { size: 1 }).resize(bad as never)).rejects.toMatchObject({
      argument: 'size',
    });
    expect(await zk.exists('/limits')).toBeUndefined();
  },
);
