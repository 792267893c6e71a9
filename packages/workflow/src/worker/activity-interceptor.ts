import { ApplicationFailure } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { failureOf } from '../activity/failure.ts';
import { currentStep, type Step } from '../activity/step.ts';
import { carriedBy } from '../carried/headers.ts';
import { stepKey } from '../carried/step-key.ts';
import { activities } from '../diagnostics.ts';
import type { Tracing } from '../tracing.ts';
import { bounded } from './bounded.ts';

/** By what a worker may run, where an election decides. */
export interface Lease {
  readonly token: bigint;
  readonly signal: AbortSignal;
}

/** Gives each activity its step, and tells the workflow of errors in words that it can match. */
export function activityInterceptor(
  lease: Lease | undefined,
  tracing: Tracing | undefined,
): ActivityInterceptorsFactory {
  return ({ info, cancellationSignal }) => ({
    inbound: {
      execute: async (input, next) => {
        const { token, step: key, undoes, trace = {} } = carriedBy(input.headers);
        const { workflowId = '', runId = '' } = info.workflowExecution ?? {};
        const step: Step = {
          key: key ?? stepKey({ workflowId, run: runId, activity: info.activityType, id: info.activityId }),
          undoes,
          token: token === undefined ? lease?.token : BigInt(token),
          attempt: info.attempt,
          signal: lease === undefined ? cancellationSignal : AbortSignal.any([cancellationSignal, lease.signal]),
        };
        const work = (): Promise<unknown> => currentStep.run(step, () => next(input));
        const traced = { activity: info.activityType, id: workflowId, runId, attempt: info.attempt, key: step.key };
        try {
          return await activities.tracePromise(
            tracing === undefined
              ? work
              : () => tracing.handle({ ...traced, workflow: info.workflowType ?? '', headers: trace }, work),
            traced,
          );
        } catch (error) {
          throw bounded(lost(error, lease) ?? failureOf(error, info));
        }
      },
    },
  });
}

/** Whoever leads now does it again: not a failure of the work. */
function lost(error: unknown, lease: Lease | undefined): ApplicationFailure | undefined {
  if (!lease?.signal.aborted) return undefined;
  // Timers and requests of Node reject with an error of their own.
  const { name, cause } = (error ?? {}) as { name?: unknown; cause?: unknown };
  if (error !== lease.signal.reason && cause !== lease.signal.reason && name !== 'AbortError') return undefined;
  const message = 'the worker leads no longer; the one that leads now goes on';
  return ApplicationFailure.create({ message, type: 'lease-lost', details: [{ happened: 'unknown' }] });
}
