import { eventually, type Link, Testbed } from '@quorate/testbed';
import { connect, type ZooKeeper } from '@quorate/zookeeper';
import type { Benchmark } from '../benchmark.ts';
import { inTurn, startPeers } from '../peer.ts';
import { SideBySide } from '../side-by-side.ts';
import { withPackets } from './packets.ts';
import { type RecipePeer, recipes } from './recipes.ts';

/** Of the leader that is lost; and how much later than that a new one may lead: a tick of the server. */
const short = 4_000;
const tick = 500;
const long = 10_000;

/** From one leader to the next: when it resigns, crashes, or falls into a black hole; and a thousand candidates. */
export const election: Benchmark = {
  name: 'election',
  what: 'elections of three kinds side by side, on one server',
  rounds: 5,
  measure: async (rounds, { quick }) => {
    const counts = quick
      ? { few: 50, candidates: 100, many: 20, warm: 1_000 }
      : { few: 1_000, candidates: 1_000, many: 200, warm: 10_000 };
    await using bed = await Testbed.start({
      zookeeper: { members: 1, jvm: ['-XX:TieredStopAtLevel=4', '-Xmx1g'], config: { tickTime: tick } },
    });
    const { url } = bed.zookeeper;
    await using observer = await connect(url);
    const peers = await startPeers(recipes, url);
    const figures = new SideBySide();
    try {
      for (const peer of peers) await warmUp(peer, counts.warm);
      for (let round = 0; round < rounds; round += 1) {
        for (const peer of inTurn(peers, round))
          await few(peer, `/few-${peer.name}-${round}`, counts.few, url, figures);
        for (const peer of inTurn(peers, round))
          await many(peer, `/many-${peer.name}-${round}`, counts, url, observer, figures);
        for (const { name } of inTurn(peers, round)) {
          const link = bed.link(`${name}-${round}`, 'zookeeper-1');
          await crash(name, `/crash-${name}-${round}`, url, observer, figures);
          await blackHole(name, `/hole-${name}-${round}`, url, link, observer, figures);
        }
        console.error(`round ${round + 1} of ${rounds}`);
      }
    } finally {
      for (const peer of peers) await peer[Symbol.asyncDispose]();
    }
    return figures.all('quorate', {
      'resignation to next leader, p50, in round trips of a write': { aim: 3 },
      'resignation, two led at once': { aim: 0 },
      'crash to next leader, sessions of 4 s': { aim: (short + tick) / 1000 },
      'black hole, two led at once': { aim: 0 },
    });
  },
};

async function warmUp(peer: RecipePeer, length: number): Promise<void> {
  const until = performance.now() + length;
  await peer.perform({ task: 'open', sessions: 3, timeout: long });
  await peer.perform({ task: 'stand', path: `/warm-${peer.name}`, candidates: 3 });
  while (performance.now() < until) await peer.perform({ task: 'resign', count: 100 });
  await peer.perform({ task: 'withdraw' });
}

/** Three candidates, each with a session of its own. */
async function few(peer: RecipePeer, path: string, count: number, url: string, figures: SideBySide): Promise<void> {
  await peer.perform({ task: 'open', sessions: 3, timeout: long });
  const trip = await peer.perform({ task: 'trips', count });
  await peer.perform({ task: 'stand', path, candidates: 3 });
  const { p50, p99, overlaps, packets } = await withPackets(url, () => peer.perform({ task: 'resign', count }));
  await peer.perform({ task: 'withdraw' });
  await peer.perform({ task: 'open', sessions: 0, timeout: long });
  figures.add('resignation to next leader, p50', peer.name, 'µs', p50);
  figures.add('resignation to next leader, p99', peer.name, 'µs', p99);
  figures.add(
    'resignation to next leader, p50, in round trips of a write',
    peer.name,
    '×',
    (p50 ?? 0) / (trip.p50 ?? Number.NaN),
  );
  figures.add('resignation, packets', peer.name, 'packets', packets / count);
  figures.add('resignation, two led at once', peer.name, 'times', overlaps);
}

/** A thousand candidates in twenty sessions, at a path that is there: to make it is not what is measured. */
async function many(
  peer: RecipePeer,
  path: string,
  counts: { readonly candidates: number; readonly many: number },
  url: string,
  observer: ZooKeeper,
  figures: SideBySide,
): Promise<void> {
  const { candidates } = counts;
  await observer.create(path);
  await peer.perform({ task: 'open', sessions: 20, timeout: long });
  const { seconds } = await peer.perform({ task: 'stand', path, candidates });
  const { p50, packets } = await withPackets(url, () => peer.perform({ task: 'resign', count: counts.many }));
  await peer.perform({ task: 'withdraw' });
  await peer.perform({ task: 'open', sessions: 0, timeout: long });
  figures.add(`${candidates} candidates, until all stand`, peer.name, 's', seconds);
  figures.add(`${candidates} candidates, resignation to next leader, p50`, peer.name, 'µs', p50);
  figures.add(`${candidates} candidates, resignation, packets`, peer.name, 'packets', packets / counts.many);
}

/** A process that leads and one that waits. */
async function pair(
  name: string,
  path: string,
  addresses: readonly [string, string],
  observer: ZooKeeper,
): Promise<{ readonly leader: RecipePeer; readonly next: RecipePeer; readonly elected: Promise<number> }> {
  const start = recipes[name] as (typeof recipes)[string];
  const [leader, next] = await Promise.all([start(addresses[0]), start(addresses[1])]);
  for (const peer of [leader, next]) await peer.perform({ task: 'open', sessions: 1, timeout: short });
  await leader.perform({ task: 'campaign', path });
  const elected = next.perform({ task: 'campaign', path }).then(({ at }) => at ?? Number.NaN);
  await eventually('a candidate in line', async () => (await observer.children(path)).names.length === 2);
  return { leader, next, elected };
}

async function crash(name: string, path: string, url: string, observer: ZooKeeper, figures: SideBySide): Promise<void> {
  const { leader, next, elected } = await pair(name, path, [url, url], observer);
  const begin = clock();
  await leader.kill();
  figures.add('crash to next leader, sessions of 4 s', name, 's', ((await elected) - begin) / 1000);
  await next.kill();
}

/** Nothing of what the leader sends or is sent arrives. */
async function blackHole(
  name: string,
  path: string,
  url: string,
  link: Link,
  observer: ZooKeeper,
  figures: SideBySide,
): Promise<void> {
  const { leader, next, elected } = await pair(name, path, [await link.address, url], observer);
  const begin = clock();
  await link.set({ blackHole: true });
  const [deposed, led] = await Promise.all([leader.perform({ task: 'deposed' }), elected]);
  const knew = deposed.at ?? Number.NaN;
  figures.add('black hole to next leader, sessions of 4 s', name, 's', (led - begin) / 1000);
  figures.add('black hole, until the leader knows', name, 's', (knew - begin) / 1000);
  figures.add('black hole, two led at once', name, 'ms', Math.max(0, knew - led));
  for (const peer of [leader, next]) await peer.kill();
  await link.heal();
}

function clock(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
