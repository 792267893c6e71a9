import { InvalidArgumentError } from './invalid-argument-error.ts';
import { sleep } from './sleep.ts';

export interface BackoffOptions {
  /** The first delay, in milliseconds. */
  readonly min: number;
  /** No delay is longer than this. */
  readonly max: number;
  /** How much of each delay is left to chance: 0 none, 1 all of it. Default 0.5. */
  readonly jitter?: number;
  /** Where chance comes from; give a seeded one to repeat a run. */
  readonly random?: () => number;
}

/** Delays that double from `min` to `max`, spread by chance so that many clients do not come back together. */
export interface Backoff {
  /** How many delays have been taken since the start or the last `reset`. */
  readonly attempt: number;
  /** Takes the next delay, in milliseconds. */
  next(): number;
  /** Takes the next delay and waits for it. */
  wait(options?: { readonly signal?: AbortSignal }): Promise<void>;
  /** Begins again at `min`: call it after a success. */
  reset(): void;
}

export function backoff({ min, max, jitter = 0.5, random = Math.random }: BackoffOptions): Backoff {
  if (!(min > 0 && min < Infinity)) throw new InvalidArgumentError('min', 'a number of milliseconds above 0', min);
  if (!(max >= min && max < Infinity)) throw new InvalidArgumentError('max', `a number of at least min (${min})`, max);
  if (!(jitter >= 0 && jitter <= 1)) throw new InvalidArgumentError('jitter', 'a number from 0 to 1', jitter);
  return new Delays(min, max, jitter, random);
}

/** One object with no functions of its own: each session has some. */
class Delays implements Backoff {
  attempt = 0;
  readonly #min: number;
  readonly #max: number;
  readonly #jitter: number;
  readonly #random: () => number;

  constructor(min: number, max: number, jitter: number, random: () => number) {
    this.#min = min;
    this.#max = max;
    this.#jitter = jitter;
    this.#random = random;
  }

  next(): number {
    const longest = Math.min(this.#max, this.#min * 2 ** this.attempt);
    this.attempt += 1;
    return longest * (1 - this.#jitter * this.#random());
  }

  wait({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    return sleep(this.next(), { signal });
  }

  reset(): void {
    this.attempt = 0;
  }
}
