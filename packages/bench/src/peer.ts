import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { PeerProgram } from '@quorate/testbed/peers';

/** A client in a process of its own, that does what it is asked: a task is a line of JSON, and so is its answer. */
export class Peer<Task, Answer> implements AsyncDisposable {
  readonly name: string;
  readonly #process: ChildProcess;
  readonly #answers: AsyncIterator<string>;

  /** Resolves when it has said, with a first line, that it is ready. */
  static async start<Task, Answer>(
    name: string,
    { command, args, env }: PeerProgram,
    ...more: readonly string[]
  ): Promise<Peer<Task, Answer>> {
    const child = spawn(command, [...args, ...more], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
    });
    const peer = new Peer<Task, Answer>(name, child);
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

  /** SIGKILL: no goodbye. */
  async kill(): Promise<void> {
    const gone = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await gone;
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

/** How each is started, by name: ours first. */
export type Starts<Task, Answer> = Readonly<Record<string, (url: string) => Promise<Peer<Task, Answer>>>>;

/** Every one that can run here; says which cannot, and why. */
export async function startPeers<Task, Answer>(
  starts: Starts<Task, Answer>,
  url: string,
): Promise<Peer<Task, Answer>[]> {
  const started: Peer<Task, Answer>[] = [];
  for (const [name, start] of Object.entries(starts)) {
    try {
      started.push(await start(url));
    } catch (error) {
      console.log(`left out: ${name}: ${(error as Error).message}`);
    }
  }
  return started;
}

/** In an order that changes from round to round, so that none is always first. */
export function inTurn<One>(all: readonly One[], round: number): One[] {
  const turn = round % all.length;
  return [...all.slice(turn), ...all.slice(0, turn)];
}
