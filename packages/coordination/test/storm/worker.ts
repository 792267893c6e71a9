import { once } from 'node:events';
import { sleep } from '@quorate/core';
import { History, seeded } from '@quorate/testbed';
import { connect, type ZooKeeper } from '@quorate/zookeeper';
import { Election, type Lease, Lock } from '../../src/index.ts';
import { writeHeld } from './write-held.ts';

// A process of its own, which can be killed and stopped. It works until its input ends, and prints its history as it
// happens: what was printed before it was killed has happened.
const { name, url, seed, sessionTimeout } = JSON.parse(process.argv[2] ?? '{}') as WorkerOptions;

export interface WorkerOptions {
  readonly name: string;
  readonly url: string;
  readonly seed: string;
  readonly sessionTimeout: number;
}

const history = new History({ write: (line) => process.stdout.write(line) });
const chance = seeded(0).fork(seed);
const over = new AbortController();

process.stdin.resume();
once(process.stdin, 'end').then(() => over.abort());

while (!over.signal.aborted) {
  try {
    const zk = await connect(url, { sessionTimeout, timeout: 2_000, signal: over.signal });
    history.note(`${name} is at work`);
    await session(zk);
  } catch {
    // No server within reach; there will be one.
    await pause(50);
  }
}

/** Everything at once over one session, until it is lost. */
async function session(zk: ZooKeeper): Promise<void> {
  const both = AbortSignal.any([zk.lost, over.signal]);
  await Promise.all([locks(zk, both), leads(zk, both)]);
  // The servers may be out of reach: they will find out.
  await zk.close({ signal: AbortSignal.timeout(500) });
}

async function locks(zk: ZooKeeper, signal: AbortSignal): Promise<void> {
  const lock = new Lock(zk, '/lock', { id: name, onSuspended: chance.next() < 0.5 ? 'stop' : 'wait' });
  while (!signal.aborted) {
    try {
      const lease = await lock.acquire({ signal, timeout: 3_000 });
      const done = writeHeld(history, name, 'lock', lease);
      await work(zk, lease, 'locked').finally(done);
      await lease.release();
    } catch {
      await pause(10);
    }
  }
}

async function leads(zk: ZooKeeper, signal: AbortSignal): Promise<void> {
  const election = new Election(zk, '/leader', { id: name });
  const term = async (lease: Lease): Promise<void> => {
    const done = writeHeld(history, name, 'leader', lease);
    const until = performance.now() + chance.integer(20, 400);
    while (performance.now() < until && !lease.signal.aborted) await work(zk, lease, 'led');
    done();
  };
  while (!signal.aborted) await election.lead(term, { signal }).catch(() => pause(10));
}

/** Adds one, guarded by the lease alone: two holders at once would lose an update. */
async function work(zk: ZooKeeper, lease: Lease, key: string): Promise<void> {
  try {
    const sum = Number((await zk.get(`/${key}`, { signal: lease.signal })).data) + 1;
    await sleep(chance.integer(5, 40), { signal: lease.signal });
    // Where the lease has ended by now, nothing is asked for.
    const transaction = lease.guard(zk.transaction()).set(`/${key}`, String(sum));
    await history.run(name, 'add', { key, by: 1 }, () => transaction.commit(), { output: () => sum });
  } catch {
    // It ended in the middle: the history says how.
  }
}

function pause(ms: number): Promise<void> {
  return sleep(ms, { signal: over.signal }).catch(() => undefined);
}
