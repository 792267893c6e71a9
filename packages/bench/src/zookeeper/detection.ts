import { once } from 'node:events';
import { Testbed } from '@quorate/testbed';
import { connect, type State, type ZooKeeper } from '@quorate/zookeeper';
import type { Benchmark } from '../benchmark.ts';

/** How many sessions fall into the black hole at once. */
const sessions = 100;

const sessionTimeout = 10_000;

/** When each was noticed, in session timeouts since the last request that was answered had been sent. */
interface Noticed {
  readonly suspended: number;
  readonly lost: number;
  /** When another client saw the session's ephemeral node gone. */
  readonly expired: number;
}

/** How soon a client notices that nothing arrives any more, and whether it does so before the server gives it up. */
export const detection: Benchmark = {
  name: 'detection',
  what: `${sessions} ZooKeeper sessions in a black hole, in session timeouts of ${sessionTimeout / 1000} s`,
  rounds: 1,
  measure: async (rounds) => {
    const noticed: Noticed[] = [];
    for (let round = 0; round < rounds; round += 1) noticed.push(...(await blackHole()));
    const late = noticed.filter(({ lost, expired }) => lost > expired).length;
    console.log(`lost after the server had expired it: ${late} of ${noticed.length}\n`);
    return [
      {
        name: 'suspended (two thirds, give or take 0.05)',
        unit: '×',
        values: noticed.map(({ suspended }) => suspended),
      },
      { name: 'lost (1, give or take 0.05)', unit: '×', values: noticed.map(({ lost }) => lost) },
      { name: 'expired by the server', unit: '×', values: noticed.map(({ expired }) => expired) },
    ];
  },
};

async function blackHole(): Promise<Noticed[]> {
  // 20 ticks are the longest session that a server grants.
  await using bed = await Testbed.start({ zookeeper: { members: 1, config: { tickTime: sessionTimeout / 20 } } });
  const link = bed.link('clients', 'zookeeper-1');
  await using observer = await connect(bed.zookeeper.url);
  const address = await link.address;
  const clients = await Promise.all(Array.from({ length: sessions }, () => connect(address, { sessionTimeout })));
  const waits = await Promise.all(clients.map((zk, index) => prepare(zk, `/session-${index}`, observer)));
  await link.set({ blackHole: true });
  const noticed = await Promise.all(waits.map((wait) => wait()));
  await Promise.all(clients.map((zk) => zk.close()));
  return noticed;
}

/** Returns how to wait for what will be noticed about the session. */
async function prepare(zk: ZooKeeper, path: string, observer: ZooKeeper): Promise<() => Promise<Noticed>> {
  await zk.create(path, '', { mode: 'ephemeral' });
  const gone = Promise.withResolvers<number>();
  await observer.exists(path, { watch: () => gone.resolve(performance.now()) });
  const suspended = comesTo(zk, 'suspended');
  const lost = once(zk.lost, 'abort').then(() => performance.now());
  const last = performance.now();
  await zk.get(path);
  return async () => {
    const share = async (at: Promise<number>): Promise<number> => ((await at) - last) / zk.sessionTimeout;
    return { suspended: await share(suspended), lost: await share(lost), expired: await share(gone.promise) };
  };
}

async function comesTo(zk: ZooKeeper, wanted: State): Promise<number> {
  for await (const state of zk.states()) if (state === wanted) return performance.now();
  throw new Error(`the session was over before it was ${wanted}`);
}
