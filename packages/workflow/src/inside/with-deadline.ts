import { type Duration, duration } from '@quorate/core';
import { ApplicationFailure, CancellationScope, isCancellation, sleep } from '@temporalio/workflow';
import type { ErrorDetail } from '../carried/error-detail.ts';
import { refusing } from './refusal.ts';

/**
 * Does `work`, and cancels it when the time is up: then it fails with `deadline-exceeded`.
 *
 *     const price = await withDeadline('30s', () => quote(ride));
 *
 * Hazards: an activity hears that it is cancelled with a heartbeat, so one without is waited for until it ends. Some of the work may have been done.
 */
export async function withDeadline<Result>(within: Duration, work: () => Promise<Result>): Promise<Result> {
  const ms = refusing(() => duration(within, { name: 'within', least: 1 }));
  const working = new CancellationScope();
  const timing = new CancellationScope();
  let late = false;
  const timer = timing
    .run(() => sleep(ms))
    .then(
      () => {
        late = true;
        working.cancel();
      },
      () => {},
    );
  try {
    return await working.run(work);
  } catch (error) {
    if (!late || !isCancellation(error)) throw error;
    const detail: ErrorDetail = { happened: 'unknown' };
    throw ApplicationFailure.create({
      message: `not done within ${ms} ms`,
      type: 'deadline-exceeded',
      nonRetryable: true,
      details: [detail],
      ...(error instanceof Error && { cause: error }),
    });
  } finally {
    timing.cancel();
    await timer;
  }
}
