import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { History, standsStill } from '@quorate/testbed';
import type { SleeperOptions } from './sleeper.ts';
import type { WorkerOptions } from './worker.ts';

/** Worker processes by name. One that was killed may be started again: its histories are all kept. */
export class Crew {
  readonly #running = new Map<string, ChildProcessByStdio<Writable, Readable, null>>();
  readonly #printed: { readonly name: string; readonly lines: string[] }[] = [];
  readonly #closed: Promise<unknown>[] = [];
  readonly #compiled: string;

  /**
   * `compiled` is a folder for what Node has compiled once, where none is given for all: very many processes of one program
   * are started.
   */
  constructor(compiled: string) {
    this.#compiled = compiled;
  }

  /** Resolves when it has told something, or has been killed before. */
  async start(options: WorkerOptions | SleeperOptions, file = 'worker.ts'): Promise<void> {
    const program = fileURLToPath(new URL(file, import.meta.url));
    const args = ['--conditions=@quorate/source', program, JSON.stringify(options)];
    const child = spawn(process.execPath, args, {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { NODE_COMPILE_CACHE: this.#compiled, ...process.env },
    });
    const lines: string[] = [];
    child.stdout.setEncoding('utf8').on('data', (text: string) => lines.push(text));
    // Writing to one that has been killed is no error of ours.
    child.stdin.on('error', () => undefined);
    this.#printed.push({ name: options.name, lines });
    this.#closed.push(once(child, 'close'));
    this.#running.set(options.name, child);
    await Promise.race([once(child.stdout, 'data'), once(child, 'close')]);
  }

  /** Resolves when it is gone: until then it may act. */
  async end(name: string): Promise<void> {
    const child = this.#running.get(name);
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  /** Resolves when it stands still: until then it may act. */
  async stop(name: string): Promise<void> {
    this.#running.get(name)?.kill('SIGSTOP');
    await this.stopped(name);
  }

  /** For one that stops itself: a second signal might stop it again after it was woken. */
  async stopped(name: string): Promise<void> {
    await standsStill(this.#running.get(name)?.pid);
  }

  wake(name: string): void {
    this.#running.get(name)?.kill('SIGCONT');
  }

  /** Lets them finish, and gives what all of them have told. Those that do not finish in time are killed. */
  async finish(within: number): Promise<History[]> {
    for (const child of this.#running.values()) {
      child.kill('SIGCONT');
      child.stdin.end();
    }
    const late = setTimeout(() => this.kill(), within);
    await Promise.all(this.#closed);
    clearTimeout(late);
    return this.histories();
  }

  hasEnded(name: string): boolean {
    const child = this.#running.get(name);
    return child?.stdout.closed ?? true;
  }

  /** What each process has told so far. */
  histories(name?: string): History[] {
    const of = this.#printed.filter((printed) => name === undefined || printed.name === name);
    return of.map(({ lines }) => History.fromJsonLines(lines.join(''), { torn: true }));
  }

  historyOf(name: string): History {
    return History.merge(...this.histories(name));
  }

  kill(): void {
    for (const child of this.#running.values()) child.kill('SIGKILL');
  }
}
