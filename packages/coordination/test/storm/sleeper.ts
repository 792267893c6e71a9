// A holder that is stopped between its guarded read and its write, and goes on as if no time had passed. What it writes
// goes over a session of its own, which lives on: nothing but the guard can refuse it.
import { writeSync } from 'node:fs';
import { History } from '@quorate/testbed';
import { connect } from '@quorate/zookeeper';
import { Election, Lock } from '../../src/index.ts';

export interface SleeperOptions {
  readonly name: string;
  readonly url: string;
  /** What it adds to: under the lock, or under the leadership. */
  readonly key: 'locked' | 'led';
  readonly sessionTimeout: number;
}

const { name, url, key, sessionTimeout } = JSON.parse(process.argv[2] ?? '{}') as SleeperOptions;
const history = new History({ write: (line) => writeSync(1, line) });

try {
  const data = await connect(url, { sessionTimeout: 20_000 });
  const zk = await connect(url, { sessionTimeout });
  const lease = await (key === 'locked'
    ? new Lock(zk, '/lock', { id: name }).acquire()
    : new Election(zk, '/leader', { id: name }).campaign());
  const holding = history.held(name, key === 'locked' ? 'lock' : 'leader', lease.token);
  const ended = (): void => holding.released(lease.signal.reason.reason);
  if (lease.signal.aborted) ended();
  else lease.signal.addEventListener('abort', ended, { once: true });

  // Its member may be behind the one of the lease.
  await data.sync('/');
  const sum = Number((await data.get(`/${key}`)).data) + 1;
  const transaction = lease.guard(data.transaction()).set(`/${key}`, String(sum));
  history.note('about to write', { key, sum });
  // Nothing else of this process runs until its SIGCONT. It writes the pause down itself: whoever watches it sees it late.
  const pause = history.fault('pause', name);
  process.kill(process.pid, 'SIGSTOP');
  pause.end();
  const output = (): number => sum;
  await history.run(name, 'add', { key, by: 1 }, () => transaction.commit(), { output }).catch(() => undefined);
} catch {
  // A fault came first: another one tries.
}
process.exit();
