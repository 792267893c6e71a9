import { afterEach, expect, test, vi } from 'vitest';
import { Group, type Lease, Lock, type Membership, type MemoryCoordination, memoryCoordination } from '../index.ts';

afterEach(() => vi.useRealTimers());

// A lease would last 50 ms without a sign of life, on real servers.
const connectTo = (memory: MemoryCoordination) => memory.connect({ sessionTimeout: 100 });

test('no time passes for what is held: neither a clock that goes on nor an event loop that stands still ends it', async () => {
  vi.useFakeTimers();
  const memory = memoryCoordination();
  await using zk = connectTo(memory);
  const held: (Lease | Membership)[] = [
    await new Lock(zk, '/stop').acquire(),
    await new Lock(zk, '/wait', { onSuspended: 'wait' }).acquire(),
    await new Group(zk, '/group').join({ id: 'one' }),
  ];
  const [stop, ...patient] = held as [Lease, ...Lease[]];
  vi.advanceTimersByTime(60_000);
  expect(held.map(({ signal }) => signal.aborted)).toEqual([false, false, false]);
  expect(vi.getTimerCount()).toBe(0);
  await memory.suspend(zk);
  vi.advanceTimersByTime(60_000);
  expect(stop.signal.reason).toMatchObject({ code: 'lease-suspended' });
  expect(patient.map(({ signal }) => signal.aborted)).toEqual([false, false]);
  await memory.resume(zk);
  vi.useRealTimers();
  const begun = performance.now();
  while (performance.now() - begun < 120);
  expect(patient.map(({ signal }) => signal.aborted)).toEqual([false, false]);
});

test.each<[string, (lease: Lease) => PromiseLike<void>]>([
  ['let go of', (lease) => lease.release()],
  ['disposed of', (lease) => lease[Symbol.asyncDispose]()],
])('a stale holder learns that its session is over when its lease is %s', async (_, letGo) => {
  const memory = memoryCoordination();
  const zk = memory.connect();
  const lease = await new Lock(zk, '/lock').acquire();
  await memory.forget(zk);
  expect([lease.signal.aborted, zk.state]).toEqual([false, 'connected']);
  await letGo(lease);
  expect(zk.state).toBe('lost');
});
