import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Testbed } from '@quorate/testbed';
import { curatorProgram, kazooProgram } from '@quorate/testbed/peers';
import { connect } from '@quorate/zookeeper';
import type { Benchmark } from '../benchmark.ts';
import { inTurn, Peer, type Starts, startPeers } from '../peer.ts';
import { SideBySide } from '../side-by-side.ts';
import type { Answer, Task } from './tasks.ts';

type Start = (url: string) => Promise<Peer<Task, Answer>>;

const peers = fileURLToPath(new URL('peers/', import.meta.url));
const ours = ['--conditions=@quorate/source', '--expose-gc', join(peers, 'quorate.ts')];

const groups: Starts<Task, Answer> = {
  quorate: (url) => Peer.start('quorate', { command: process.execPath, args: ours, env: {} }, url),
  Curator: async (url) => Peer.start('Curator', await curatorProgram(join(peers, 'CuratorGroup.java')), url),
  kazoo: async (url) => Peer.start('kazoo', await kazooProgram(join(peers, 'kazoo_group.py')), url),
};

/** A group of many: joining it, watching it, and hearing of one more. */
export const group: Benchmark = {
  name: 'group',
  what: 'a group of 10,000 members, of three kinds side by side, on one server',
  rounds: 3,
  measure: async (rounds, { quick }) => {
    const members = quick ? 500 : 10_000;
    await using bed = await Testbed.start({ zookeeper: { members: 1, jvm: ['-XX:TieredStopAtLevel=4', '-Xmx1g'] } });
    const present = await presentOf(bed.zookeeper.url);
    const figures = new SideBySide();
    for (let round = 0; round < rounds; round += 1) {
      for (const [name, start] of inTurn(present, round)) {
        const path = `/group-${name}-${round}`;
        await measure(start, name, path, members, bed.zookeeper.url, figures);
      }
      console.error(`round ${round + 1} of ${rounds}`);
    }
    return figures.all('quorate', {});
  },
};

/** Those that can run here. */
async function presentOf(url: string): Promise<(readonly [string, Start])[]> {
  const started = await startPeers(groups, url);
  for (const peer of started) await peer[Symbol.asyncDispose]();
  return started.map(({ name }) => [name, groups[name] as Start]);
}

/** Its members are in one process and who watches them in another, so that the memory is the watcher's alone. */
async function measure(
  start: Start,
  name: string,
  path: string,
  members: number,
  url: string,
  figures: SideBySide,
): Promise<void> {
  await using zk = await connect(url);
  await zk.transaction().create(path).create(`${path}-warm`).commit();
  await using joiner = await start(url);
  await joiner.perform({ task: 'join', path: `${path}-warm`, members: members / 5, sessions: 20 });
  await joiner.perform({ task: 'leave' });
  const joined = await joiner.perform({ task: 'join', path, members, sessions: 20 });
  await using watcher = await start(url);
  const watched = await watcher.perform({ task: 'watch', path, members });
  const heard = await watcher.perform({ task: 'hear', path, count: 100 });
  await joiner.perform({ task: 'leave' });
  figures.add(`${members} members, until all have joined`, name, 's', joined.seconds);
  figures.add(`${members} members, until a watcher knows all`, name, 's', watched.seconds);
  figures.add('memory of a watcher, each member', name, 'B', (watched.bytes ?? Number.NaN) / members);
  figures.add('one more, until the watcher knows, p50', name, 'µs', heard.p50);
  figures.add('one more, until the watcher knows, p99', name, 'µs', heard.p99);
}
