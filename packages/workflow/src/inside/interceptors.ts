import type { Headers } from '@temporalio/common';
import { type WorkflowInterceptors, workflowInfo } from '@temporalio/workflow';
import { withCarried } from '../carried/headers.ts';
import { stepKey } from '../carried/step-key.ts';
import { answerProgress } from './progress.ts';
import { attend } from './saga.ts';
import { stepScope } from './scope.ts';
import { carriedOn, receive } from './token.ts';
import { toldWhenEnded } from './told-when-ended.ts';
import { undoneOnFailure } from './undone.ts';

/** A local activity that waits long for another attempt is asked for anew by the library, with the same arguments and another number. */
const localKeys = new WeakMap<object, string>();

function keyOf(activity: string, id: string): string {
  const { workflowId, runId } = workflowInfo();
  return stepKey({ workflowId, runId, activity, id });
}

/** The headers of an activity; notes it with the step that it belongs to. */
function toActivity(headers: Headers, name: string, key: string): Headers {
  const scope = stepScope.getStore();
  scope?.calls.push({ kind: 'activity', name, key });
  return withCarried(headers, { ...carriedOn(), step: key, ...(scope?.undoes && { undoes: scope.undoes }) });
}

/** Goes into every bundle of workflows: keys for steps, tokens, sagas that are undone, the query `progress`. */
export const interceptors = (): WorkflowInterceptors => {
  attend();
  return {
    inbound: [
      {
        execute: async (input, next) => {
          receive(input.headers);
          answerProgress();
          return await toldWhenEnded(() => undoneOnFailure(() => next(input)));
        },
      },
    ],
    outbound: [
      {
        scheduleActivity: (input, next) => {
          const key = keyOf(input.activityType, input.options.activityId ?? String(input.seq));
          return next({ ...input, headers: toActivity(input.headers, input.activityType, key) });
        },
        scheduleLocalActivity: (input, next) => {
          const key = localKeys.get(input.args) ?? keyOf(input.activityType, String(input.seq));
          localKeys.set(input.args, key);
          return next({ ...input, headers: toActivity(input.headers, input.activityType, key) });
        },
        startChildWorkflowExecution: (input, next) => {
          stepScope.getStore()?.calls.push({ kind: 'child', name: input.workflowType });
          return next({ ...input, headers: withCarried(input.headers, carriedOn()) });
        },
        signalWorkflow: (input, next) => {
          stepScope.getStore()?.calls.push({ kind: 'signal', name: input.signalName });
          return next(input);
        },
        continueAsNew: (input, next) => next({ ...input, headers: withCarried(input.headers, carriedOn()) }),
      },
    ],
  };
};
