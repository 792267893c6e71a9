import { checkNames, type Duration, duration, InvalidArgumentError } from '@quorate/core';
import { ActivityCancellationType, type ActivityInterfaceFor, proxyActivities } from '@temporalio/workflow';
import { howMany } from './how-many.ts';
import { refusing } from './refusal.ts';

export interface ActivityTimes {
  /** How long one attempt may take. Default 1 min. */
  readonly timeout?: Duration;
  /** How long all attempts may take together, with the waiting for a worker. Default 1 day. */
  readonly within?: Duration;
  /** An attempt of which nothing was heard for so long counts as lost. Default: none; an activity without hears of no cancellation. */
  readonly heartbeat?: Duration;
  /** How many attempts there may be. Default: as many as the time allows. One that ends because its worker is stopped, or leads no longer, counts. */
  readonly attempts?: number;
  /** The first pause between two attempts, which doubles. Default 1 s. */
  readonly delay?: Duration;
  /** No pause is longer. Default 1 min. */
  readonly maxDelay?: Duration;
  /** Which workers do them. Default: those of the workflow. */
  readonly taskQueue?: string;
}

const names = ['timeout', 'within', 'heartbeat', 'attempts', 'delay', 'maxDelay', 'taskQueue'];

/**
 * Activities as functions, with time limits.
 *
 *     import type * as work from './activities.ts';
 *     const { book, release } = activities<typeof work>({ timeout: '10s' });
 *
 * What is tried again is said by the error that an activity throws: not one that says `retryable: false`.
 */
export function activities<Activities>(times: ActivityTimes = {}): ActivityInterfaceFor<Activities> {
  return refusing(() => {
    checkNames('times', times, names);
    const { timeout = '1m', within = '1d', heartbeat, attempts = Infinity, delay = '1s', maxDelay = '1m' } = times;
    const { taskQueue } = times;
    if (taskQueue !== undefined && (typeof taskQueue !== 'string' || taskQueue === ''))
      throw new InvalidArgumentError('taskQueue', 'text', taskQueue);
    const first = duration(delay, { name: 'delay', least: 1 });
    return proxyActivities<Activities>({
      startToCloseTimeout: duration(timeout, { name: 'timeout', least: 1 }),
      scheduleToCloseTimeout: duration(within, { name: 'within', least: 1 }),
      ...(heartbeat !== undefined && { heartbeatTimeout: duration(heartbeat, { name: 'heartbeat', least: 100 }) }),
      ...(taskQueue !== undefined && { taskQueue }),
      // Otherwise what undoes a step could come before the end of what it undoes.
      cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
      retry: {
        initialInterval: first,
        maximumInterval: duration(maxDelay, { name: 'maxDelay', least: first }),
        backoffCoefficient: 2,
        maximumAttempts: howMany('attempts', attempts),
      },
    });
  });
}
