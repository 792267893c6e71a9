import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Peer } from '../peer.ts';
import type { Answer, Task } from './tasks.ts';

export type Contestant = Peer<Task, Answer>;

const folder = fileURLToPath(new URL('peers/', import.meta.url));

/** How each is started in a process of its own, ours first: the program, and what it is told. */
const programs: Readonly<Record<string, readonly [file: string, ...args: string[]]>> = {
  quorate: ['quorate.ts'],
  bentocache: ['bentocache.ts'],
  'bentocache, objects kept': ['bentocache.ts', 'kept'],
  'cache-manager': ['cache-manager.ts'],
  ioredis: ['ioredis.ts'],
  'ioredis, pipelined': ['ioredis.ts', 'pipelined'],
};

export const names: readonly string[] = Object.keys(programs);

/** On the second core where that can be said: a round trip takes half as long when both ends share one, and chance decides. */
export async function start(name: string, url: string): Promise<Contestant> {
  const [file = '', ...args] = programs[name] ?? [];
  const node = [process.execPath, '--conditions=@quorate/source', '--expose-gc', join(folder, file), ...args];
  const [command = '', ...rest] = (await canPin()) ? ['taskset', '-c', '1', ...node] : node;
  return Peer.start<Task, Answer>(name, { command, args: rest, env: { NODE_ENV: 'production', QUORATE_REDIS: url } });
}

/** Keeps the server to the first core. */
export async function pinServer(pid: number): Promise<void> {
  if (await canPin()) await promisify(execFile)('taskset', ['-a', '-p', '-c', '0', String(pid)]);
}

async function canPin(): Promise<boolean> {
  return promisify(execFile)('taskset', ['-c', '1', 'true']).then(
    () => true,
    () => false,
  );
}
