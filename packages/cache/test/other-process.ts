import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { deadline } from '@quorate/core';
import type { CacheStats } from '../src/index.ts';

const program = fileURLToPath(new URL('stampede-process.ts', import.meta.url));

/** A real process with a cache in it, one after the other, to be stopped and killed. */
export class OtherProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  }

  static start(url: string): OtherProcess {
    const child = spawn(process.execPath, ['--conditions=@quorate/source', program], {
      stdio: ['pipe', 'pipe', 'inherit'],
      // Arguments can be read by everybody: not the password.
      env: { ...process.env, QUORATE_REDIS: url },
    });
    // What is written to a process that was killed is lost, as it should be.
    child.stdin?.on('error', () => {});
    return new OtherProcess(child);
  }

  /** Opens a cache in it; the one before is closed. */
  async open(prefix: string, settings: object = {}): Promise<void> {
    this.tell({ ask: 'open', prefix, settings });
    while ((await this.hear()) !== 'ready');
  }

  tell(message: object): void {
    this.#child.stdin?.write(`${JSON.stringify(message)}\n`);
  }

  /** The next thing it says. */
  async hear(): Promise<unknown> {
    using limit = deadline(60_000);
    const late = new Promise<never>((_, reject) => {
      limit.signal.addEventListener('abort', () => reject(limit.signal.reason));
    });
    const { value, done } = await Promise.race([this.#lines.next(), late]);
    return done ? 'gone' : JSON.parse(value);
  }

  /** What it says at the end of a round of callers, past all else. */
  async values(): Promise<Record<string, number>> {
    for (;;) {
      const said = await this.hear();
      if (said === 'gone') throw new Error('the process ended before it answered');
      if (typeof said === 'object' && said !== null && 'values' in said) return said.values as Record<string, number>;
    }
  }

  async loads(): Promise<number> {
    return (await this.#stats()).loads;
  }

  async localHits(): Promise<number> {
    return (await this.#stats()).stats.hits.local;
  }

  async #stats(): Promise<{ readonly loads: number; readonly stats: CacheStats }> {
    this.tell({ ask: 'stats' });
    for (;;) {
      const said = await this.hear();
      if (typeof said === 'object' && said !== null && 'stats' in said) {
        return said as { readonly loads: number; readonly stats: CacheStats };
      }
    }
  }

  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }

  /** Asks it to end by itself, and gives its exit status. */
  async end(): Promise<number | null> {
    const gone = once(this.#child, 'exit');
    this.tell({ ask: 'end' });
    return (await gone)[0];
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}
