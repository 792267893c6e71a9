import { DeadlineExceededError } from '@quorate/core';
import { checkDuration } from './duration.ts';
import type { GetOptions } from './entry-options.ts';
import type { Flight } from './flight.ts';

/** One wait over several steps: its signal aborts with the caller's own, and when the caller's time is over. */
export class Wait implements Disposable {
  readonly signal: AbortSignal | undefined;
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(key: string, { signal, timeout }: Pick<GetOptions, 'signal' | 'timeout'>) {
    this.signal = signal;
    if (timeout === undefined) return;
    const ms = checkDuration('timeout', timeout);
    const over = new AbortController();
    const late = (): void => over.abort(new DeadlineExceededError(`${key}: no value within ${ms} ms`));
    this.#timer = setTimeout(late, Math.min(ms, 2 ** 31 - 1)).unref();
    this.signal = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]);
  }

  /** For a step that only waits: these options without those that this wait stands for. */
  instead<Options extends GetOptions>(options: Options | undefined): Omit<Options, 'signal' | 'timeout'> {
    const { signal: _signal, timeout: _timeout, ...rest } = options ?? ({} as Options);
    return this.signal === undefined ? rest : { ...rest, signal: this.signal };
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}

/** What `work` gives, unless the signal aborts before that: then what `error` makes of its reason. The work goes on. */
export function orAborted<T>(
  signal: AbortSignal | undefined,
  work: Promise<T>,
  error: (reason: unknown) => unknown = (reason) => reason,
): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const aborted = (): void => reject(error(signal.reason));
    if (signal.aborted) aborted();
    signal.addEventListener('abort', aborted, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', aborted));
  });
}

/** This caller's own wait: the others are not concerned. */
export function waited(flight: Flight, { signal, timeout }: GetOptions): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', aborted);
    };
    const giveUp = (reason: unknown): void => {
      end();
      flight.leave();
      reject(reason);
    };
    const aborted = (): void => giveUp(signal?.reason);
    const ms = timeout === undefined ? undefined : checkDuration('timeout', timeout);
    const late = (): void => giveUp(new DeadlineExceededError(`${flight.key}: no value within ${ms} ms`));
    const timer = ms === undefined ? undefined : setTimeout(late, Math.min(ms, 2 ** 31 - 1)).unref();
    signal?.addEventListener('abort', aborted, { once: true });
    flight.result.then(resolve, reject).finally(end);
  });
}
