import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { isQuorateError } from '@quorate/core';
import { eventually, History, standsStill } from '@quorate/testbed';
import { curatorProgram, kazooProgram, type PeerProgram } from '@quorate/testbed/peers';

export type Kind = 'quorate' | 'curator' | 'kazoo';

/** `alien` is `lock`, but for kazoo, which then goes by the name that it has by default. */
export type Recipe = 'lock' | 'elect' | 'read' | 'write' | 'permit' | 'alien';

/** In milliseconds. Java takes a while to start when ten start at once. */
const patience = 60_000;

/**
 * A contender in a process of its own, with a library of its own. It is told what to do by lines:
 * - `lock PATH`, or another recipe: acquires and releases until `stop`, and counts each time in PATH-counter. Answers
 *   `stopped` in the end.
 * - `clock`: its machine-wide monotonic clock, in milliseconds.
 * - of Curator only: `hold PATH` holds a lock until it is asked for it, `revoke PATH` asks who holds it; `join PATH`
 *   joins a group, and `members` tells who is in it.
 *
 * What it holds, and when it no longer does, it says in lines of a history.
 */
export class InteropPeer implements AsyncDisposable {
  readonly kind: Kind;
  readonly name: string;
  readonly #process: ChildProcess;
  readonly #lines: string[] = [];
  readonly #answers: string[] = [];

  static async start(kind: Kind, number: number, url: string): Promise<InteropPeer> {
    const peer = new InteropPeer(kind, `${kind}-${number}`, await programOf(kind), url);
    await peer.#answer('ready');
    await peer.#compareClocks();
    return peer;
  }

  private constructor(kind: Kind, name: string, { command, args, env }: PeerProgram, url: string) {
    this.kind = kind;
    this.name = name;
    this.#process = spawn(command, [...args, url, name], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
    });
    this.#process.stdin?.on('error', () => {});
    createInterface({ input: this.#process.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      (line.startsWith('{') ? this.#lines : this.#answers).push(line);
    });
  }

  /** How often it has held something, this time. */
  get holdings(): number {
    return this.#lines.filter((line) => line.includes('"held"')).length;
  }

  /** Acquires and releases again and again, until `stop`. */
  begin(recipe: Recipe, path: string): void {
    this.#lines.length = 0;
    this.tell(`${recipe} ${path}`);
  }

  /** What it has held since it began. */
  async stop(): Promise<History> {
    this.tell('stop');
    await this.says('stopped');
    return this.history;
  }

  /** What it has told since it began. */
  get history(): History {
    return History.fromJsonLines(this.#lines.map((line) => `${line}\n`).join(''), { torn: true });
  }

  get hasEnded(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  /** Resolves when it stands still. */
  async pause(): Promise<void> {
    this.#process.kill('SIGSTOP');
    await standsStill(this.#process.pid);
  }

  wake(): void {
    this.#process.kill('SIGCONT');
  }

  tell(command: string): void {
    this.#process.stdin?.write(`${command}\n`);
  }

  async ask(command: string): Promise<string> {
    this.tell(command);
    return this.#answer();
  }

  /** Waits for it to say so. */
  async says(expected: string): Promise<void> {
    await this.#answer(expected);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = this.#process.exitCode ?? this.#process.signalCode ?? once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await gone;
  }

  async #answer(expected?: string): Promise<string> {
    const { name } = this;
    await eventually(`an answer of ${name}`, () => this.#answers.length > 0 || this.hasEnded, { within: patience });
    const answer = this.#answers.shift();
    if (answer === undefined) throw new Error(`${name} has ended before it answered`);
    if (expected !== undefined && answer !== expected) throw new Error(`${name} said ${answer}, not ${expected}`);
    return answer;
  }

  /** Histories can be put together only when all clocks are one. */
  async #compareClocks(): Promise<void> {
    const now = (): number => Number(process.hrtime.bigint()) / 1e6;
    const before = now();
    const theirs = Number(await this.ask('clock'));
    const after = now();
    if (theirs >= before && theirs <= after) return;
    throw new Error(`the clock of ${this.name} is not ours: ${theirs} is not between ${before} and ${after}`);
  }
}

/** Why the others cannot run here. */
export async function whatIsMissing(): Promise<string | undefined> {
  try {
    await Promise.all([programOf('curator'), programOf('kazoo')]);
    return undefined;
  } catch (error) {
    if (isQuorateError(error, 'no-compiler') || isQuorateError(error, 'no-pip')) return error.message;
    throw error;
  }
}

function programOf(kind: Kind): Promise<PeerProgram> | PeerProgram {
  const source = (file: string): string => join(import.meta.dirname, file);
  if (kind === 'kazoo') return kazooProgram(source('kazoo_peer.py'));
  if (kind === 'curator') {
    return curatorProgram(source('CuratorPeer.java'), {
      jvm: ['-Xmx64m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'],
    });
  }
  const args = ['--conditions=@quorate/source', source('quorate-peer.ts')];
  return { command: process.execPath, args, env: {} };
}
