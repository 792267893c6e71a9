// Contends with our recipes, as it is told over standard input; see peer.ts.
import { createInterface } from 'node:readline';
import { History } from '@quorate/testbed';
import { connect } from '@quorate/zookeeper';
import { Election, type Lease, Lock, ReadWriteLock, Semaphore } from '../../src/index.ts';

const [url = '', name = ''] = process.argv.slice(2);
const zk = await connect(url);
const history = new History({ write: (line) => void process.stdout.write(line) });
const say = (line: string): void => void process.stdout.write(`${line}\n`);
let stopped = false;

const shared = ['read', 'permit'];

/** Ways of holding something. */
const recipes: Readonly<Record<string, (path: string) => { acquire(): Promise<Lease> }>> = {
  lock: (path) => new Lock(zk, path, { id: name }),
  alien: (path) => new Lock(zk, path, { id: name }),
  read: (path) => new ReadWriteLock(zk, path, { id: name }).read,
  write: (path) => new ReadWriteLock(zk, path, { id: name }).write,
  permit: (path) => new Semaphore(zk, path, { id: name, permits: 2 }),
  elect: (path) => {
    const election = new Election(zk, path, { id: name });
    return { acquire: () => election.campaign() };
  },
};

/** Holds it again and again. Each time it counts one on (where others may hold it too it only looks), in a way that loses a count when others do so too. */
async function contend(what: string, path: string): Promise<void> {
  const recipe = recipes[what]?.(path);
  if (!recipe) throw new Error(`${what}: expected one of ${Object.keys(recipes).join(', ')}`);
  stopped = false;
  while (!stopped) {
    const lease = await recipe.acquire();
    const holding = history.held(name, path, lease.token);
    const ended = (): void => holding.released(lease.signal.reason.reason);
    if (lease.signal.aborted) ended();
    lease.signal.addEventListener('abort', ended, { once: true });
    const { data } = await zk.get(`${path}-counter`);
    if (!shared.includes(what)) await zk.set(`${path}-counter`, String(Number(data) + 1));
    await lease.release();
  }
  say('stopped');
}

/** Whoever was stopped for longer than its session has nothing to hold any more, and says nothing more. */
function leave(error: unknown): void {
  if (!zk.lost.aborted) throw error;
  process.exit();
}

say('ready');
for await (const line of createInterface({ input: process.stdin })) {
  const [command = '', path = ''] = line.split(' ');
  if (command === 'clock') say(String(Number(process.hrtime.bigint()) / 1e6));
  else if (command === 'stop') stopped = true;
  else contend(command, path).catch(leave);
}
await zk.close();
