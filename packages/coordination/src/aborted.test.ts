import { tracingChannel } from 'node:diagnostics_channel';
import { isQuorateError, QuorateError } from '@quorate/core';
import type { TracedRequest, ZooKeeper } from '@quorate/zookeeper';
import { expect, test } from 'vitest';
import { Barrier } from './barrier.ts';
import { Counter } from './counter.ts';
import { DoubleBarrier } from './double-barrier.ts';
import { Election } from './election.ts';
import { Group } from './group.ts';
import { Lock } from './lock.ts';
import { type MemoryCoordination, memoryCoordination } from './memory/memory-coordination.ts';
import { multiLock } from './multi-lock.ts';
import { Queue } from './queue.ts';
import { Semaphore } from './semaphore.ts';

const writes = ['create', 'set', 'delete', 'transaction'];

type Call = (signal: AbortSignal) => Promise<unknown>;

/** For each call: what is there before it, made by `other` or by the session itself. */
const calls: Record<string, (zk: ZooKeeper, other: ZooKeeper) => Promise<Call>> = {
  'Barrier.raise': async (zk) => (signal) => new Barrier(zk, '/b').raise({ signal }),
  'Barrier.lift': async (zk, other) => {
    await new Barrier(other, '/b').raise();
    return (signal) => new Barrier(zk, '/b').lift({ signal });
  },
  'Counter.add': async (zk, other) => {
    await new Counter(other, '/c').set(1n);
    return (signal) => new Counter(zk, '/c').add(1n, { signal });
  },
  'DoubleBarrier.enter': async (zk) => {
    return (signal) => new DoubleBarrier(zk, '/d', { size: 1 }).enter({ signal });
  },
  'DoubleBarrier.leave': async (zk) => {
    const barrier = new DoubleBarrier(zk, '/d', { size: 1 });
    await barrier.enter();
    return (signal) => barrier.leave({ signal });
  },
  'Election.campaign': async (zk, other) => {
    await (await new Election(other, '/e').campaign()).release();
    return (signal) => new Election(zk, '/e').campaign({ signal });
  },
  'Group.join': async (zk, other) => {
    await other.create('/g');
    return (signal) => new Group(zk, '/g').join({ id: 'one' }, { signal });
  },
  'Membership.update': async (zk) => {
    const membership = await new Group(zk, '/g').join({ id: 'one' });
    return (signal) => membership.update('new', { signal });
  },
  'Membership.leave': async (zk) => {
    const membership = await new Group(zk, '/g').join({ id: 'one' });
    return (signal) => membership.leave({ signal });
  },
  'Lock.acquire': async (zk, other) => {
    const held = await new Lock(other, '/l').acquire();
    return (signal) => {
      const acquiring = new Lock(zk, '/l').acquire({ signal });
      void held.release();
      return acquiring;
    };
  },
  'Lock.tryAcquire': async (zk, other) => {
    await other.create('/l');
    return (signal) => new Lock(zk, '/l').tryAcquire({ signal });
  },
  'Lock.revoke': async (zk, other) => {
    await new Lock(other, '/l').acquire();
    return (signal) => new Lock(zk, '/l').revoke({ signal });
  },
  'Lease.release': async (zk) => {
    const lease = await new Lock(zk, '/l').acquire();
    return (signal) => lease.release({ signal });
  },
  'MultiLock.acquire': async (zk, other) => {
    for (const path of ['/l', '/m']) await other.create(path);
    return (signal) => multiLock([new Lock(zk, '/l'), new Lock(zk, '/m')]).acquire({ signal });
  },
  'Semaphore.acquire': async (zk, other) => {
    await (await new Semaphore(other, '/s', { permits: 1 }).acquire()).release();
    return (signal) => new Semaphore(zk, '/s', { permits: 1 }).acquire({ signal });
  },
  'Queue.put': async (zk) => {
    // The first put makes the receipt as well, which is no item: without one, nothing has happened.
    const queue = new Queue(zk, '/q');
    await queue.put('first');
    return (signal) => queue.put('second', { signal });
  },
  'Queue.take': async (zk, other) => {
    await new Queue(other, '/q').put('first');
    return (signal) => new Queue(zk, '/q').take({ signal });
  },
  'TakenItem.done': async (zk) => {
    await new Queue(zk, '/q').put('first');
    const item = await new Queue(zk, '/q').take();
    return (signal) => item.done({ signal });
  },
  'TakenItem.release': async (zk) => {
    await new Queue(zk, '/q').put('first');
    const item = await new Queue(zk, '/q').take();
    return (signal) => item.release({ signal });
  },
};

interface Outcome {
  /** Whether a write had been sent when the call was aborted. */
  readonly sent: boolean;
  readonly error: unknown;
}

/** Aborts a call at its moment of this number: each request has two, after it is sent and after it is answered. */
async function abortedAt(name: string, moment: number, loses: boolean): Promise<Outcome | undefined> {
  const memory: MemoryCoordination = memoryCoordination();
  await using stack = new AsyncDisposableStack();
  const [zk, other] = [stack.use(memory.connect()), stack.use(memory.connect())];
  const call = await calls[name]?.(zk, other);
  if (loses) memory.loseReply(zk);
  const controller = new AbortController();
  const reason = new QuorateError('stop', { code: 'fenced', happened: 'no', retryable: true });
  let [count, sent, sentBefore] = [0, false, false];
  const pass = (): void => {
    if (count === moment) {
      sentBefore = sent;
      controller.abort(reason);
    }
    count += 1;
  };
  const start = ({ sessionId, operation }: TracedRequest): void => {
    if (sessionId !== zk.id) return;
    sent ||= writes.includes(operation);
    queueMicrotask(pass);
  };
  const asyncEnd = ({ sessionId }: TracedRequest): void => void (sessionId === zk.id && pass());
  const requests = tracingChannel<TracedRequest, TracedRequest>('quorate.zookeeper.request');
  requests.subscribe({ start, asyncEnd } as never);
  try {
    const error = await call?.(controller.signal).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    return controller.signal.aborted ? { sent: sentBefore, error } : undefined;
  } finally {
    requests.unsubscribe({ start, asyncEnd } as never);
  }
}

test.each(Object.keys(calls).flatMap((name) => [[name, false] as const, [name, true] as const]))(
  '%s, aborted at any moment after it has sent a write, never says that nothing happened (its reply is lost: %s)',
  async (name, loses) => {
    let rejected = 0;
    for (let moment = 0; ; moment += 1) {
      const outcome = await abortedAt(name, moment, loses);
      if (!outcome) break;
      if (!outcome.sent || outcome.error === undefined) continue;
      rejected += 1;
      const { error } = outcome;
      expect(isQuorateError(error) && error.happened, `moment ${moment}: ${error}`).toBe('unknown');
    }
    expect(rejected).toBeGreaterThan(0);
  },
);
