import { ContinueAsNew, proxySinks, workflowInfo } from '@temporalio/workflow';
import type { RunSinks } from '../carried/run-sink.ts';
import { endsRun } from './outcome.ts';
import { carriedOn } from './token.ts';

/** Tells the worker when the run has ended, where its start was traced. */
export async function toldWhenEnded<Result>(workflow: () => Promise<Result>): Promise<Result> {
  const { trace } = carriedOn();
  if (trace === undefined) return await workflow();
  const tell = (outcome: string): void => {
    const started = workflowInfo().runStartTime.getTime();
    proxySinks<RunSinks>().quorate.ended({ outcome, started, ended: Date.now(), trace });
  };
  try {
    const result = await workflow();
    tell('completed');
    return result;
  } catch (error) {
    if (error instanceof ContinueAsNew) tell('continued-as-new');
    else if (endsRun(error)) tell('failed');
    throw error;
  }
}
