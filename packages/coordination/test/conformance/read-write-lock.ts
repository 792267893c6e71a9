import { eventually } from '@quorate/testbed';
import { describe, expect, test } from 'vitest';
import { type AnyLock, type Lease, ReadWriteLock } from '../../src/index.ts';
import { atCommit } from '../at-commit.ts';
import { type Connect, childrenOf, codeOf, errorOf, freshPath } from './store.ts';

export function readWriteLockConformance(connect: Connect): void {
  /** Asks, and waits until it stands in line. */
  async function queued(
    lock: AnyLock,
    inLine: () => Promise<number>,
  ): Promise<{ got: () => Lease | undefined; lease: Promise<Lease> }> {
    const before = await inLine();
    let got: Lease | undefined;
    const lease = lock.acquire().then((its) => {
      got = its;
      return its;
    });
    await eventually('a place in line', async () => (await inLine()) === before + 1);
    return { got: () => got, lease };
  }

  describe('a read-write lock', () => {
    test('many read at once, one writes alone, and a reader that comes after a writer waits for it', async () => {
      await using a = await connect();
      await using b = await connect();
      const path = freshPath('rw');
      const [one, two] = [new ReadWriteLock(a, path), new ReadWriteLock(b, path)];
      const inLine = async (): Promise<number> => (await childrenOf(a, path)).length;
      const readers = [await one.read.acquire(), await two.read.acquire(), await two.read.acquire()];
      expect(await two.write.tryAcquire()).toBeUndefined();
      const writer = await queued(two.write, inLine);
      const late = await queued(one.read, inLine);
      await readers[0]?.release();
      await readers[1]?.release();
      await b.sync(path);
      expect([writer.got(), late.got()]).toEqual([undefined, undefined]);
      await readers[2]?.release();
      const writing = await writer.lease;
      for (const reader of readers) expect(writing.token).toBeGreaterThan(reader.token);
      await a.sync(path);
      expect(late.got()).toBeUndefined();
      await writing.release();
      await (await late.lease).release();
    });

    test("the nodes are named as Curator's are", async () => {
      await using zk = await connect();
      const path = freshPath('rw');
      const lock = new ReadWriteLock(zk, path);
      await lock.read.with(async () => {
        expect(await childrenOf(zk, path)).toEqual([expect.stringMatching(/^_c_[0-9a-f-]{36}-__READ__\d{10}$/)]);
      });
      await lock.write.with(async () => {
        expect(await childrenOf(zk, path)).toEqual([expect.stringMatching(/^_c_[0-9a-f-]{36}-__WRIT__\d{10}$/)]);
      });
    });

    test('when a writer leaves, all the readers behind it get in, and the writer behind them does not', async () => {
      await using a = await connect();
      await using b = await connect();
      const path = freshPath('rw');
      const [one, two] = [new ReadWriteLock(a, path), new ReadWriteLock(b, path)];
      const inLine = async (): Promise<number> => (await childrenOf(a, path)).length;
      const writing = await one.write.acquire();
      const readers = [await queued(one.read, inLine), await queued(two.read, inLine), await queued(two.read, inLine)];
      const next = await queued(two.write, inLine);
      await writing.release();
      const reading = await Promise.all(readers.map(({ lease }) => lease));
      await b.sync(path);
      expect(next.got()).toBeUndefined();
      for (const lease of reading) await lease.release();
      await (await next.lease).release();
    });

    test('downgrade: readers behind get in, no writer does, and the token stays', async () => {
      await using a = await connect();
      await using b = await connect();
      const path = freshPath('rw');
      const [one, two] = [new ReadWriteLock(a, path), new ReadWriteLock(b, path)];
      const inLine = async (): Promise<number> => (await childrenOf(a, path)).length;
      const writing = await one.write.acquire();
      const reader = await queued(two.read, inLine);
      const second = await queued(two.write, inLine);
      const reading = await one.downgrade(writing);
      const [holder] = await one.read.holders();
      expect(holder?.token).toBe(reading.token);
      expect(reading.token).toBe(writing.token);
      expect([writing.signal.aborted, reading.signal.aborted]).toEqual([true, false]);
      await (await reader.lease).release();
      await b.sync(path);
      expect(second.got(), 'a second writer, while we read').toBeUndefined();
      expect((await one.read.holders()).map(({ session }) => session)).toEqual([a.id]);
      expect(await one.write.holders()).toEqual([]);
      await reading.guard(a.transaction()).commit();
      await reading.release();
      const last = await second.lease;
      expect(last.token).toBeGreaterThan(reading.token);
      await last.release();
    });

    test('downgrade: that its former node is gone, which it hears first, is no loss', async () => {
      await using one = await connect();
      await using other = await connect();
      const path = freshPath('rw');
      // What it is told of the old node, it is told before it knows that it has a new one.
      const slow = atCommit(one, async (commit) => {
        const results = await commit();
        await one.sync('/');
        await one.sync('/');
        return results;
      });
      const lock = new ReadWriteLock(slow, path, { revocable: true });
      await using reading = await lock.downgrade(await lock.write.acquire());
      expect(reading.signal.aborted).toBe(false);
      // Of the new one it is told as well.
      expect(await new ReadWriteLock(other, path).read.revoke()).toBe(1);
      await eventually('it is asked for', () => reading.signal.aborted);
      expect(reading.signal.reason).toMatchObject({ reason: 'revoked' });
    });

    test('downgrade: a writer that waits behind from before, with nobody between, does not get in either', async () => {
      await using a = await connect();
      await using b = await connect();
      const path = freshPath('rw');
      const one = new ReadWriteLock(a, path, { revocable: true });
      const inLine = async (): Promise<number> => (await childrenOf(a, path)).length;
      const writing = await one.write.acquire();
      const second = await queued(new ReadWriteLock(b, path).write, inLine);
      const reading = await one.downgrade(writing);
      await b.sync(path);
      await b.get('/');
      expect(second.got()).toBeUndefined();
      expect(reading.signal.aborted).toBe(false);
      expect(await new ReadWriteLock(b, path).read.revoke()).toBe(1);
      await eventually('asked to let go', () => reading.signal.aborted);
      expect(await codeOf(Promise.reject(reading.signal.reason))).toBe('lease-revoked');
      await reading.release();
      await (await second.lease).release();
    });

    test('downgrade: the writing ends before others can read, and cannot be taken up again', async () => {
      await using zk = await connect();
      const path = freshPath('rw');
      const lock = new ReadWriteLock(zk, path);
      const writing = await lock.write.acquire();
      const downgrading = lock.downgrade(writing);
      expect(writing.signal.aborted).toBe(true);
      expect(await codeOf(lock.write.acquire({ holding: writing }))).toBe('lease-released');
      expect(await codeOf(lock.downgrade(writing))).toBe('lease-released');
      expect(await codeOf(() => writing.guard(zk.transaction()))).toBe('lease-released');
      const reading = await downgrading;
      expect(reading.signal.aborted).toBe(false);
      await reading.release();
      expect(await childrenOf(zk, path)).toEqual([]);
    });

    test('downgrade: whoever lets go meanwhile lets go of the reading as well', async () => {
      await using zk = await connect();
      const path = freshPath('rw');
      const lock = new ReadWriteLock(zk, path);
      const writing = await lock.write.acquire();
      const downgrading = codeOf(lock.downgrade(writing));
      await writing.release();
      expect(await childrenOf(zk, path)).toEqual([]);
      expect(await downgrading).toBe('lease-released');
    });

    test('downgrade: the path may have the mark of a writer in it', async () => {
      await using zk = await connect();
      const path = `${freshPath('rw')}/of__WRIT__ers`;
      const lock = new ReadWriteLock(zk, path);
      const reading = await lock.downgrade(await lock.write.acquire());
      expect((await lock.read.holders()).map(({ token }) => token)).toEqual([reading.token]);
      await reading.release();
      expect(await childrenOf(zk, path)).toEqual([]);
    });

    test('who writes may read as well; who reads is refused to write, and told so at once', async () => {
      await using zk = await connect();
      const path = freshPath('rw');
      const lock = new ReadWriteLock(zk, path);
      const writing = await lock.write.acquire();
      const inner = await lock.read.acquire({ holding: writing });
      const error = await errorOf(lock.downgrade(writing));
      expect(error).toMatchObject({ argument: 'writing' });
      await inner.release();
      const reading = await lock.downgrade(writing);
      expect(await codeOf(lock.write.acquire({ holding: reading }))).toBe('invalid-argument');
      expect(await codeOf(lock.downgrade(reading))).toBe('invalid-argument');
      expect(await codeOf(lock.downgrade(writing))).toBe('invalid-argument');
      await reading.release();
      expect(await childrenOf(zk, path)).toEqual([]);
    });
  });
}
