import { checkNames, type Duration, duration, InvalidArgumentError } from '@quorate/core';

/** What becomes of a message whose handler failed. Its key waits meanwhile, unless you say otherwise; other keys go on. */
export interface RetryOptions {
  /** How often a message is tried in all, by one process. Default 5; Infinity: until it succeeds. */
  readonly attempts?: number;
  /** Before the second attempt; doubled for each later one, and spread by chance. Default 100 ms. */
  readonly delay?: Duration;
  /** No delay is longer. Default 10 s. */
  readonly maxDelay?: Duration;
  /**
   * Whether a message that failed makes way for those behind it: it goes through `<topic>.<group>.later` and is tried again after `delay`, which does not grow. The order of its key is given up.
   * Default false: its key waits.
   */
  readonly outOfOrder?: boolean;
}

export interface Retry {
  readonly attempts: number;
  readonly delay: number;
  readonly maxDelay: number;
  readonly outOfOrder: boolean;
}

export function checkRetry(options: RetryOptions = {}): Retry {
  checkNames('retry', options, ['attempts', 'delay', 'maxDelay', 'outOfOrder']);
  const { attempts = 5, delay = 100, maxDelay = '10s', outOfOrder = false } = options;
  if (attempts !== Infinity && !(Number.isInteger(attempts) && attempts >= 1))
    throw new InvalidArgumentError('retry.attempts', 'a whole number of at least 1, or Infinity', attempts);
  if (typeof outOfOrder !== 'boolean') throw new InvalidArgumentError('retry.outOfOrder', 'true or false', outOfOrder);
  if (outOfOrder && options.maxDelay !== undefined)
    throw new InvalidArgumentError(
      'retry.maxDelay',
      'nothing together with outOfOrder: all wait equally long',
      maxDelay,
    );
  const least = duration(delay, { name: 'retry.delay', least: 1 });
  const most = Math.max(least, duration(maxDelay, { name: 'retry.maxDelay', least: 1 }));
  return { attempts, delay: least, maxDelay: most, outOfOrder };
}

/** After so many failures. */
export function delayAfter({ delay, maxDelay }: Retry, failures: number): number {
  const longest = Math.min(maxDelay, delay * 2 ** (failures - 1));
  return Math.ceil(longest * (1 - 0.5 * Math.random()));
}
