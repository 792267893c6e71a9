import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { type BedOf, check, eventually, History, type Verdict } from '@quorate/testbed';
import { connect, type TracedRequest, type ZooKeeper } from '@quorate/zookeeper';
import type { Lease } from '../../src/index.ts';
import { childrenOf, freshPath } from '../conformance/store.ts';
import { breakable, loseReplies } from '../cut-off.ts';
import type { Make } from './contender.ts';

export type Bed = BedOf<{ zookeeper: 1 }>;

/** What users rely on, each as a run that forces the race and a verdict on what happened. */
export type Promised = (bed: Bed, make: Make) => Promise<Verdict>;

const open = (bed: Bed): Promise<ZooKeeper> => connect(bed.zookeeper.url, { sessionTimeout: 2_000 });

/** Writes down when it is held and when not any more. */
function recorded(history: History, process: string, lease: Lease): Lease {
  const holding = history.held(process, 'lease', lease.token);
  const ended = (): void => holding.released();
  if (lease.signal.aborted) ended();
  lease.signal.addEventListener('abort', ended, { once: true });
  return lease;
}

async function inLine(zk: ZooKeeper, path: string, count: number): Promise<void> {
  await eventually(`${count} in line`, async () => (await childrenOf(zk, path)).length === count);
}

/** A holder whose network falls silent stops before the next one begins. */
export const stopsInTime: Promised = async (bed, make) => {
  const history = new History();
  const path = freshPath('silent');
  await using other = await open(bed);
  await using mine = await breakable(bed);
  await other.create(path);
  recorded(history, 'mine', await make(mine.zk, path, 'mine').acquire());
  const next = make(other, path, 'other').acquire();
  await inLine(other, path, 2);
  await mine.link.set({ blackHole: true });
  recorded(history, 'other', await next);
  return check.exclusive(history);
};

/** A holder of the past, which has not noticed, changes nothing, whichever connection it writes over. */
export const fencesThePast: Promised = async (bed, make) => {
  const history = new History();
  const [path, counter] = [freshPath('fenced'), freshPath('counter')];
  await using other = await open(bed);
  await using data = await open(bed);
  await using mine = await breakable(bed);
  await other.create(path);
  await other.create(counter, '0');
  const past = await make(mine.zk, path, 'mine').acquire();
  // It has read, and is about to write, when it is stopped: nothing of it runs for longer than its session.
  const read = Number((await data.get(counter)).data);
  const transaction = past.guard(data.transaction());
  await mine.link.set({ blackHole: true });
  const present = await make(other, path, 'other').acquire();
  for (let time = 1; time <= 2; time += 1) {
    await history.run('other', 'add', { key: 'counter', by: 1 }, async () => {
      const sum = Number((await other.get(counter)).data) + 1;
      await present.guard(other.transaction()).set(counter, String(sum)).commit();
      return sum;
    });
  }
  await history
    .run('mine', 'add', { key: 'counter', by: 1 }, async () => {
      await transaction.set(counter, String(read + 1)).commit();
      return read + 1;
    })
    .catch(() => undefined);
  await history.run('other', 'read', { key: 'counter' }, async () => Number((await other.get(counter)).data));
  return check.noLostUpdates(history);
};

/** What a handover costs does not grow with those who wait. */
export const noHerd: Promised = async (bed, make) => {
  const [few, many] = [await requestsOfHandover(bed, make, 2), await requestsOfHandover(bed, make, 8)];
  return {
    check: 'no herd',
    result: many <= few ? 'valid' : 'invalid',
    summary: `requests of a handover: ${few} with 2 waiters, ${many} with 8`,
  };
};

async function requestsOfHandover(bed: Bed, make: Make, waiters: number): Promise<number> {
  const path = freshPath('herd');
  await using stack = new AsyncDisposableStack();
  const sessions = await Promise.all(Array.from({ length: waiters + 1 }, () => open(bed)));
  for (const zk of sessions) stack.use(zk);
  const [first] = sessions as [ZooKeeper];
  await first.create(path);
  const waiting: Promise<Lease>[] = [];
  for (const [index, zk] of sessions.entries()) {
    waiting.push(make(zk, path, `session ${index}`).acquire());
    if (index === 0) await waiting[0];
    await inLine(first, path, index + 1);
    // Its watch is placed: what it has asked before is answered.
    for (let round = 0; round < 3; round += 1) await zk.sync('/');
  }
  let requests = 0;
  const count = (message: unknown): void => {
    // Signs of life, and what we ask below, come with time, not with the handover.
    if ((message as TracedRequest).operation !== 'sync') requests += 1;
  };
  subscribe('tracing:quorate.zookeeper.request:start', count);
  await (await waiting[0])?.release();
  await waiting[1];
  for (let round = 0; round < 3; round += 1) for (const zk of sessions) await zk.sync('/');
  unsubscribe('tracing:quorate.zookeeper.request:start', count);
  for (const lease of waiting.slice(1)) await (await lease).release();
  return requests;
}

/** A process that comes back under its old name does not take its old session's node for its own. */
export const believesOnlyItself: Promised = async (bed, make) => {
  const history = new History();
  const path = freshPath('restart');
  await using previous = await open(bed);
  await using restarted = await open(bed);
  await previous.create(path);
  const before = recorded(history, 'before', await make(previous, path, 'node-1').acquire());
  const again = make(restarted, path, 'node-1')
    .acquire()
    .then((lease) => recorded(history, 'after', lease));
  await eventually('it stands in line, or believes to hold', async () => {
    return (
      (await childrenOf(previous, path)).length === 2 ||
      history.events.some((event) => event.type === 'held' && event.process === 'after')
    );
  });
  await restarted.sync(path);
  await before.release();
  await (await again).release();
  return check.exclusive(history);
};

/** A create whose reply is lost makes one node, and everybody who comes later has their turn. */
export const createsOnce: Promised = async (bed, make) => {
  const path = freshPath('once');
  await using other = await open(bed);
  await using mine = await breakable(bed);
  await other.create(path);
  let acquired: Promise<Lease> | undefined;
  await loseReplies(
    mine,
    () => {
      acquired = make(mine.zk, path, 'mine').acquire();
    },
    async () => (await childrenOf(other, path)).length === 1,
  );
  // A second node of its own would stand behind the first, and wait for it.
  const held = await Promise.race([acquired, inLine(other, path, 2)]);
  const nodes = (await childrenOf(other, path)).length;
  await held?.release();
  return {
    check: 'creates once',
    result: nodes === 1 ? 'valid' : 'invalid',
    summary: `${nodes} nodes after a reply was lost`,
  };
};
