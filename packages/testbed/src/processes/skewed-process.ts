import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { InvalidArgumentError, QuorateError } from '@quorate/core';
import { Warden } from './warden.ts';

/** What is wrong with the clocks of a process. What is not named is right. */
export interface ClockFault {
  /** How far `Date` is ahead, in milliseconds; negative when it is behind. */
  readonly offsetMs?: number;
  /** How fast all clocks run, the monotonic ones too: 1.01 gains a second in a hundred. Timers keep the true time. */
  readonly rate?: number;
}

export interface SkewedProcessOptions {
  /** From the first instruction on. Default: right. */
  readonly clock?: ClockFault;
  /** Beside those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** As of `spawn`. By default its output can be read, and its errors are shown. */
  readonly stdio?: readonly ['ignore' | 'pipe', 'ignore' | 'pipe' | 'inherit', 'ignore' | 'pipe' | 'inherit'];
}

/** The descriptor by which it is told. */
const orders = 3;

/**
 * A Node process of ours whose clocks are wrong: skewed, jumping, too fast or too slow.
 *
 *     await using client = SkewedProcess.start(['client.ts'], { clock: { offsetMs: 3_600_000 } });
 *     await client.jump(-7_200_000);
 *
 * Its worker threads, and what it starts, have the true time. It ends, by SIGKILL, when it is disposed of, and when this process dies; and what it has started ends with it.
 */
export class SkewedProcess implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly #warden: Warden;
  readonly #orders: Duplex;
  readonly #waiting: (() => void)[] = [];

  /** `args` are those of Node: its options, the program, the program's arguments. */
  static start(args: readonly string[], options: SkewedProcessOptions = {}): SkewedProcess {
    const { clock = {}, env, stdio = ['ignore', 'pipe', 'inherit'] } = options;
    checkClock(clock);
    const preload = new URL(`./skewed-clock${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);
    preload.searchParams.set('clock', JSON.stringify(clock));
    preload.searchParams.set('orders', String(orders));
    const warden = Warden.withoutFolder();
    const child = spawn(process.execPath, [`--import=${preload.href}`, ...args], {
      env: { ...process.env, ...env, ...warden.mark },
      stdio: [...stdio, 'pipe'],
      // The leader of a group, which the warden can answer for.
      detached: true,
    });
    warden.watch(child);
    return new SkewedProcess(child, warden);
  }

  private constructor(child: ChildProcess, warden: Warden) {
    this.child = child;
    this.#warden = warden;
    this.#orders = child.stdio[orders] as Duplex;
    this.#orders.on('error', () => {});
    this.#orders.on('data', (done: Buffer) => {
      for (const resolve of this.#waiting.splice(0, done.length)) resolve();
    });
  }

  /** Its clocks have this fault from now on, and no other. Resolves when it is so. */
  async setClock(clock: ClockFault, options?: { readonly signal?: AbortSignal }): Promise<void> {
    checkClock(clock);
    await this.#order(clock, options);
  }

  /** Moves `Date` by so many milliseconds, back when negative, as when somebody sets a clock. Resolves when it is so. */
  async jump(milliseconds: number, options?: { readonly signal?: AbortSignal }): Promise<void> {
    checkMilliseconds('milliseconds', milliseconds);
    await this.#order({ jumpMs: milliseconds }, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = this.child.exitCode !== null || this.child.signalCode !== null;
    const gone = ended ? undefined : once(this.child, 'exit');
    await this.#warden.close();
    await gone;
  }

  async #order(order: object, { signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const over = (): void => reject(new QuorateError('the process has ended', { code: 'not-running' }));
    const abort = (): void => reject(signal?.reason);
    this.#orders.once('close', over);
    signal?.addEventListener('abort', abort, { once: true });
    this.#waiting.push(resolve);
    if (this.#orders.writable) this.#orders.write(`${JSON.stringify(order)}\n`);
    else over();
    try {
      await promise;
    } finally {
      this.#orders.off('close', over);
      signal?.removeEventListener('abort', abort);
    }
  }
}

function checkClock({ offsetMs = 0, rate = 1 }: ClockFault): void {
  checkMilliseconds('clock.offsetMs', offsetMs);
  if (!(rate > 0 && rate <= 1_000)) throw new InvalidArgumentError('clock.rate', 'above 0, at most 1000', rate);
}

function checkMilliseconds(argument: string, value: number): void {
  // What Date can hold, with room for the true time.
  if (!(Math.abs(value) <= 4e15)) throw new InvalidArgumentError(argument, 'milliseconds, 4e15 at most', value);
}
