import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Peer } from '../peer.ts';
import type { Answer, Task } from './tasks.ts';

export type Contestant = Peer<Task, Answer>;

const folder = fileURLToPath(new URL('peers/', import.meta.url));

/** How each is started in a process of its own, ours first: the program, and what it is told. */
const programs: Readonly<Record<string, readonly [file: string, ...args: string[]]>> = {
  'quorate on platformatic': ['quorate.ts', 'platformatic'],
  'quorate on kafkajs': ['quorate.ts', 'kafkajs'],
  platformatic: ['platformatic.ts'],
  kafkajs: ['kafkajs.ts'],
};

export const names: readonly string[] = Object.keys(programs);

export async function start(name: string, brokers: string): Promise<Contestant> {
  const [file = '', ...args] = programs[name] ?? [];
  const node = ['--conditions=@quorate/source', '--no-warnings', '--expose-gc', join(folder, file), ...args];
  const env = { NODE_ENV: 'production', QUORATE_KAFKA: brokers };
  return Peer.start<Task, Answer>(name, { command: process.execPath, args: node, env });
}
