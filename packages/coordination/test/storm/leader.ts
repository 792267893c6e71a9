// A leader as one would write it: a process that stands for election for as long as it lives, whatever becomes of its sessions.
// It prints its history as it happens, and ends when its input does; when it gives up before, it says so.
import { once } from 'node:events';
import { sleep } from '@quorate/core';
import { History, seeded } from '@quorate/testbed';
import { Sessions } from '@quorate/zookeeper';
import { Election, type Lease } from '../../src/index.ts';
import type { WorkerOptions } from './worker.ts';
import { writeHeld } from './write-held.ts';

const { name, url, seed, sessionTimeout } = JSON.parse(process.argv[2] ?? '{}') as WorkerOptions;
const history = new History({ write: (line) => process.stdout.write(line) });
const chance = seeded(0).fork(seed);
const over = new AbortController();

process.stdin.resume();
once(process.stdin, 'end').then(() => over.abort());

const sessions = new Sessions(url, { sessionTimeout });
history.note('stands');
try {
  await new Election(sessions, '/leader', { id: name }).lead(term, { signal: over.signal });
  history.note(over.signal.aborted ? 'has stopped' : 'has given up');
} catch (error) {
  // A term that fails as it is told to stop says so to whoever called.
  history.note(over.signal.aborted ? 'has stopped' : 'has given up', { error: String(error) });
}
await sessions.stop();

/** Some of them are over at once, some fail, some last until somebody ends them. */
async function term(lease: Lease): Promise<void> {
  const end = writeHeld(history, name, 'leader', lease);
  const until = performance.now() + chance.pick([0, 200, 2_000, 20_000]);
  try {
    while (!lease.signal.aborted && performance.now() < until) await add(lease);
    if (chance.next() < 0.2) throw new Error('a term that fails');
  } finally {
    end();
  }
}

/** Guarded by the lease alone: two leaders at once would lose an update. */
async function add(lease: Lease): Promise<void> {
  const { signal } = lease;
  const zk = await sessions.session({ signal });
  const sum = Number((await zk.get('/led', { signal })).data) + 1;
  await sleep(chance.integer(5, 60), { signal });
  const transaction = lease.guard(zk.transaction()).set('/led', String(sum));
  await history.run(name, 'add', { key: 'led', by: 1 }, () => transaction.commit(), { output: () => sum });
}
