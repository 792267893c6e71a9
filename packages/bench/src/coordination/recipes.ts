import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { curatorProgram, kazooProgram } from '@quorate/testbed/peers';
import { Peer, type Starts } from '../peer.ts';
import type { Answer, Task } from './tasks.ts';

export type RecipePeer = Peer<Task, Answer>;

const peers = fileURLToPath(new URL('peers/', import.meta.url));

/** Whose recipes are measured: each in a process of its own, ours first. */
export const recipes: Starts<Task, Answer> = {
  quorate: (url) =>
    Peer.start(
      'quorate',
      { command: process.execPath, args: ['--conditions=@quorate/source', join(peers, 'quorate.ts')], env: {} },
      url,
    ),
  Curator: async (url) => Peer.start('Curator', await curatorProgram(join(peers, 'CuratorPeer.java')), url),
  kazoo: async (url) => Peer.start('kazoo', await kazooProgram(join(peers, 'kazoo_peer.py')), url),
};
