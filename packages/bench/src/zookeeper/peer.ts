import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { cacheFolder, Programs } from '@quorate/testbed';
import { Peer as AnyPeer } from '../peer.ts';
import type { Answer, Task } from './tasks.ts';

export type Peer = AnyPeer<Task, Answer>;
const start = AnyPeer.start<Task, Answer>;

const peers = fileURLToPath(new URL('peers/', import.meta.url));
const node = ['--conditions=@quorate/source', '--expose-gc'];

/** How each client is started in a process of its own, ours first. */
export const clients: Readonly<Record<string, (url: string) => Promise<Peer>>> = {
  quorate: (url) => start('quorate', process.execPath, [...node, join(peers, 'quorate.ts'), url]),
  'node-zookeeper-client': (url) =>
    start('node-zookeeper-client', process.execPath, [...node, join(peers, 'node-zookeeper-client.ts'), url]),
  'official Java': startOfficial,
  kazoo: startKazoo,
};

/** Java compiles it as it starts, which needs a JDK. */
async function startOfficial(url: string): Promise<Peer> {
  const programs = new Programs();
  const [java, zookeeper] = [await programs.get('java'), await programs.get('zookeeper')];
  const quiet = ['-Dslf4j.internal.verbosity=ERROR'];
  return start('official Java', java.path, [
    ...quiet,
    '-cp',
    join(zookeeper.path, '*'),
    join(peers, 'OfficialPeer.java'),
    url,
  ]);
}

async function startKazoo(url: string): Promise<Peer> {
  const library = join(cacheFolder(), 'bench', 'kazoo-2.11.0');
  if (!existsSync(library))
    await promisify(execFile)('python3', ['-m', 'pip', 'install', '-q', '--target', library, 'kazoo==2.11.0']);
  return start('kazoo', 'python3', [join(peers, 'kazoo_peer.py'), url], { PYTHONPATH: library });
}
