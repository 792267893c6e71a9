import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { cacheFolder, Programs } from '@quorate/testbed';
import type { Answer, Task } from './tasks.ts';

/** A client in a process of its own, that does what it is asked. */
export class Peer implements AsyncDisposable {
  readonly name: string;
  readonly #process: ChildProcess;
  readonly #answers: AsyncIterator<string>;

  static async start(
    name: string,
    command: string,
    args: readonly string[],
    env: Record<string, string> = {},
  ): Promise<Peer> {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ...env } });
    const peer = new Peer(name, child);
    await peer.#next();
    return peer;
  }

  private constructor(name: string, child: ChildProcess) {
    this.name = name;
    this.#process = child;
    this.#answers = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  }

  async perform(task: Task): Promise<Answer> {
    this.#process.stdin?.write(`${JSON.stringify(task)}\n`);
    return this.#next();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.stdin?.end();
    await this.#answers.next();
  }

  async #next(): Promise<Answer> {
    const { value, done } = await this.#answers.next();
    if (done) throw new Error(`${this.name} ended before it answered`);
    return JSON.parse(value) as Answer;
  }
}

const peers = fileURLToPath(new URL('peers/', import.meta.url));
const node = ['--conditions=@quorate/source', '--expose-gc'];

/** How each client is started in a process of its own, ours first. */
export const clients: Readonly<Record<string, (url: string) => Promise<Peer>>> = {
  quorate: (url) => Peer.start('quorate', process.execPath, [...node, join(peers, 'quorate.ts'), url]),
  'node-zookeeper-client': (url) =>
    Peer.start('node-zookeeper-client', process.execPath, [...node, join(peers, 'node-zookeeper-client.ts'), url]),
  'official Java': startOfficial,
  kazoo: startKazoo,
};

/** Java compiles it as it starts, which needs a JDK. */
async function startOfficial(url: string): Promise<Peer> {
  const programs = new Programs();
  const [java, zookeeper] = [await programs.get('java'), await programs.get('zookeeper')];
  const quiet = ['-Dslf4j.internal.verbosity=ERROR'];
  return Peer.start('official Java', java.path, [
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
  return Peer.start('kazoo', 'python3', [join(peers, 'kazoo_peer.py'), url], { PYTHONPATH: library });
}
