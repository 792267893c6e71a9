import type { Headers } from '@temporalio/common';
import { uuid4, type WorkflowInterceptors, workflowInfo } from '@temporalio/workflow';
import { withCarried } from '../carried/headers.ts';
import { stepKey } from '../carried/step-key.ts';
import { endsRun } from './outcome.ts';
import { answerProgress } from './progress.ts';
import { attend } from './saga.ts';
import { note, undoesHere } from './scope.ts';
import { carriedOn, receive, undoesFromParent } from './token.ts';
import { toldWhenEnded } from './told-when-ended.ts';
import { undoneOnFailure } from './undone.ts';

/** A local activity that waits long for another attempt is asked for anew by the library, with the same arguments and another number. */
const localKeys = new WeakMap<object, string>();

/** Names the run. Its own id would not do: a run that is reset goes on under another one, with what it has done. The first of its random numbers stays. */
let origin = '';

function keyOf(activity: string, id: string): string {
  return stepKey({ workflowId: workflowInfo().workflowId, run: origin, activity, id });
}

/** The headers of an activity; notes it with the step that it belongs to. */
function toActivity(headers: Headers, name: string, key: string): Headers {
  note({ kind: 'activity', name, key });
  return withCarried(headers, { ...carriedOn(), step: key, ...undoing() });
}

function undoing(): { readonly undoes?: readonly string[] } {
  const undoes = undoesHere() ?? undoesFromParent();
  return undoes === undefined ? {} : { undoes };
}

/** Goes into every bundle of workflows: keys for steps, tokens, sagas that are undone, the query `progress`. */
export const interceptors = (): WorkflowInterceptors => {
  attend();
  const bySignal = Promise.withResolvers<never>();
  bySignal.promise.catch(() => {});
  return {
    inbound: [
      {
        execute: async (input, next) => {
          origin = uuid4();
          receive(input.headers);
          answerProgress();
          return await toldWhenEnded(() => undoneOnFailure(() => Promise.race([next(input), bySignal.promise])));
        },
        // The library would end the run at once, with all that it has done.
        handleSignal: async (input, next) => {
          try {
            await next(input);
          } catch (error) {
            if (!endsRun(error)) throw error;
            bySignal.reject(error);
          }
        },
      },
    ],
    outbound: [
      {
        scheduleActivity: (input, next) => {
          const key = keyOf(input.activityType, String(input.seq));
          return next({ ...input, headers: toActivity(input.headers, input.activityType, key) });
        },
        scheduleLocalActivity: (input, next) => {
          const key = localKeys.get(input.args) ?? keyOf(input.activityType, `local-${input.seq}`);
          localKeys.set(input.args, key);
          return next({ ...input, headers: toActivity(input.headers, input.activityType, key) });
        },
        startChildWorkflowExecution: (input, next) => {
          note({ kind: 'child', name: input.workflowType });
          return next({ ...input, headers: withCarried(input.headers, { ...carriedOn(), ...undoing() }) });
        },
        signalWorkflow: (input, next) => {
          note({ kind: 'signal', name: input.signalName });
          return next(input);
        },
        startNexusOperation: (input, next) => {
          note({ kind: 'operation', name: input.operation });
          return next(input);
        },
        continueAsNew: (input, next) => next({ ...input, headers: withCarried(input.headers, carriedOn()) }),
      },
    ],
  };
};
