import { Testbed } from '@quorate/testbed';
import type { Benchmark } from '../benchmark.ts';
import { inTurn, startPeers } from '../peer.ts';
import { SideBySide } from '../side-by-side.ts';
import { withPackets } from './packets.ts';
import { type RecipePeer, recipes } from './recipes.ts';

const crowds = [5, 10, 50];
const timeout = 10_000;

/** Our lock beside Curator's and kazoo's on one server: alone, and where many want it. */
export const locks: Benchmark = {
  name: 'locks',
  what: 'locks of three kinds side by side, on one server',
  rounds: 5,
  measure: async (rounds, { quick }) => {
    const counts = quick ? { cycles: 200, handovers: 200 } : { cycles: 2_000, handovers: 3_000 };
    // The server compiles fully: it is what all are measured against, and it must not change under them.
    await using bed = await Testbed.start({ zookeeper: { members: 1, jvm: ['-XX:TieredStopAtLevel=4', '-Xmx1g'] } });
    const { url } = bed.zookeeper;
    const peers = await startPeers(recipes, url);
    const figures = new SideBySide();
    try {
      for (const peer of peers) await warmUp(peer, quick ? 1_000 : 10_000);
      for (let round = 0; round < rounds; round += 1) {
        for (const peer of inTurn(peers, round)) {
          await alone(peer, `/alone-${peer.name}-${round}`, counts.cycles, url, figures);
        }
        for (const crowd of crowds) {
          for (const peer of inTurn(peers, round)) {
            await contended(peer, crowd, `/crowd-${crowd}-${peer.name}-${round}`, counts.handovers, url, figures);
          }
        }
        console.error(`round ${round + 1} of ${rounds}`);
      }
    } finally {
      for (const peer of peers) await peer[Symbol.asyncDispose]();
    }
    figures.ratio('alone, rate', 'quorate', 'Curator', { aim: 1.4, more: true });
    for (const crowd of crowds) {
      figures.ratio(`${crowd} contenders, rate`, 'quorate', 'Curator', { aim: 1.2, more: true });
    }
    const aims = crowds.flatMap((crowd) => [
      [`${crowd} contenders, packets a handover`, { aim: 4.5 }] as const,
      [`${crowd} contenders, two held at once`, { aim: 0 }] as const,
    ]);
    return figures.all('quorate', Object.fromEntries(aims));
  },
};

/** A Java machine compiles for ten seconds before its times mean anything; the others get the same. */
async function warmUp(peer: RecipePeer, length: number): Promise<void> {
  const until = performance.now() + length;
  await peer.perform({ task: 'open', sessions: 10, timeout });
  while (performance.now() < until) {
    await peer.perform({ task: 'cycles', path: '/warm', count: 100 });
    await peer.perform({ task: 'contend', path: '/warm', count: 200 });
  }
}

async function alone(peer: RecipePeer, path: string, count: number, url: string, figures: SideBySide): Promise<void> {
  await peer.perform({ task: 'open', sessions: 1, timeout });
  // The path is made by whoever comes first.
  await peer.perform({ task: 'cycles', path, count: 1 });
  const { seconds, p50, p99, packets } = await withPackets(url, () => peer.perform({ task: 'cycles', path, count }));
  figures.add('alone, rate', peer.name, '/s', count / (seconds ?? Number.NaN));
  figures.add('alone, acquire and release, p50', peer.name, 'µs', p50);
  figures.add('alone, acquire and release, p99', peer.name, 'µs', p99);
  figures.add('alone, packets', peer.name, 'packets', packets / count);
  await peer.perform({ task: 'open', sessions: 0, timeout });
}

async function contended(
  peer: RecipePeer,
  crowd: number,
  path: string,
  count: number,
  url: string,
  figures: SideBySide,
): Promise<void> {
  await peer.perform({ task: 'open', sessions: crowd, timeout });
  await peer.perform({ task: 'contend', path, count: 1 });
  const { seconds, p50, p99, held, overlaps, packets } = await withPackets(url, () =>
    peer.perform({ task: 'contend', path, count }),
  );
  const name = `${crowd} contenders`;
  figures.add(`${name}, rate`, peer.name, '/s', (held ?? Number.NaN) / (seconds ?? Number.NaN));
  figures.add(`${name}, handover p50`, peer.name, 'µs', p50);
  figures.add(`${name}, handover p99`, peer.name, 'µs', p99);
  figures.add(`${name}, packets a handover`, peer.name, 'packets', packets / (held ?? Number.NaN));
  figures.add(`${name}, two held at once`, peer.name, 'times', overlaps);
  await peer.perform({ task: 'open', sessions: 0, timeout });
}
