import type { InjectedSinks } from '@temporalio/worker';
import type { RunSinks } from '../carried/run-sink.ts';
import type { EndedRun } from '../tracing.ts';

/** Hears from workflows that they have ended. */
export function runSinks(ended: (run: EndedRun) => void): InjectedSinks<RunSinks> {
  return {
    quorate: {
      ended: {
        callDuringReplay: false,
        fn: ({ workflowType, workflowId, runId }, { outcome, started, ended: at, trace }) =>
          ended({
            workflow: workflowType,
            id: workflowId,
            runId,
            outcome: outcome as EndedRun['outcome'],
            started: new Date(started),
            ended: new Date(at),
            headers: trace,
          }),
      },
    },
  };
}
