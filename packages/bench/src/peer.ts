import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A client in a process of its own, that does what it is asked: a task is a line of JSON, and so is its answer. */
export class Peer<Task, Answer> implements AsyncDisposable {
  readonly name: string;
  readonly #process: ChildProcess;
  readonly #answers: AsyncIterator<string>;

  static async start<Task, Answer>(
    name: string,
    command: string,
    args: readonly string[],
    env: Record<string, string> = {},
  ): Promise<Peer<Task, Answer>> {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ...env } });
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
