import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Programs } from '@quorate/testbed';
import { classPathOf, kazooProgram, type PeerProgram } from '@quorate/testbed/peers';
import { Peer, type Starts } from '../peer.ts';
import type { Answer, Task } from './tasks.ts';

export type ClientPeer = Peer<Task, Answer>;

const peers = fileURLToPath(new URL('peers/', import.meta.url));

function ours(file: string): PeerProgram {
  return {
    command: process.execPath,
    args: ['--conditions=@quorate/source', '--expose-gc', join(peers, file)],
    env: {},
  };
}

/** How each client is started in a process of its own, ours first. */
export const clients: Starts<Task, Answer> = {
  quorate: (url) => Peer.start('quorate', ours('quorate.ts'), url),
  'node-zookeeper-client': (url) => Peer.start('node-zookeeper-client', ours('node-zookeeper-client.ts'), url),
  'official Java': startOfficial,
  kazoo: async (url) => Peer.start('kazoo', await kazooProgram(join(peers, 'kazoo_peer.py')), url),
};

/** Java compiles it as it starts, which needs a JDK. */
async function startOfficial(url: string): Promise<ClientPeer> {
  const programs = new Programs();
  const [java, zookeeper] = [await programs.get('java'), await programs.get('zookeeper')];
  const quiet = ['-Dslf4j.internal.verbosity=ERROR'];
  const args = [...quiet, '-cp', await classPathOf(zookeeper.path), join(peers, 'OfficialPeer.java')];
  return Peer.start('official Java', { command: java.path, args, env: {} }, url);
}
