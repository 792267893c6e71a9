// How activities fail, and what comes of it.
import { ActivityFailure, type ApplicationFailure, proxyLocalActivities } from '@temporalio/workflow';
import { activities } from '../../src/inside/index.ts';
import type * as work from './activities.ts';

const { attempt, attemptIdempotent, notDone, hugeError } = activities<typeof work>({
  delay: 20,
  maxDelay: 20,
  within: '20s',
});
const { stall } = activities<typeof work>({ heartbeat: '30s', delay: 20, maxDelay: 20 });
const local = proxyLocalActivities<typeof work>({
  startToCloseTimeout: '5s',
  // Longer than a task may take, so that the library waits by a timer and asks anew.
  localRetryThreshold: '10ms',
  retry: { initialInterval: '50ms', maximumInterval: '50ms' },
});

export async function tries(how: string): Promise<string> {
  const [kind = '', idempotent] = how.split('-');
  return await (idempotent === undefined ? attempt(kind) : attemptIdempotent(kind));
}

export async function certainty(how: 'not-done' | 'not-done-later'): Promise<unknown> {
  try {
    await notDone(how === 'not-done' ? 1 : 2);
  } catch (error) {
    const cause = error instanceof ActivityFailure ? error.cause : undefined;
    return (cause as ApplicationFailure).details?.map((detail) => (detail as { happened: string }).happened)[0];
  }
  return 'done';
}

export async function locally(): Promise<string> {
  return await local.attempt('retryable');
}

export async function stalls(): Promise<unknown> {
  return await stall();
}

export async function huge(): Promise<void> {
  await hugeError();
}
