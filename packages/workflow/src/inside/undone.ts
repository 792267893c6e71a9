import { ApplicationFailure, CancellationScope, ContinueAsNew, isCancellation } from '@temporalio/workflow';
import { innermost, messageOf } from '../carried/innermost.ts';
import type { SagaReport } from '../carried/saga-report.ts';
import { endsRun } from './outcome.ts';
import { noteUndone } from './progress.ts';
import { refusal } from './refusal.ts';
import { beginNoMore, openSagas } from './saga.ts';

/** Runs a workflow; when it fails, what its sagas have done is undone before it ends. */
export async function undoneOnFailure<Result>(workflow: () => Promise<Result>): Promise<Result> {
  const root = CancellationScope.current();
  const going = new CancellationScope();
  try {
    return await going.run(workflow);
  } catch (thrown) {
    const error = thrown instanceof ContinueAsNew && openSagas().length > 0 ? leftOpen() : thrown;
    if (!endsRun(error) || openSagas().length === 0) throw error;
    // The library would end the run now. Branches that go on would do what nobody undoes.
    beginNoMore();
    going.cancel();
    const report = await undoAll();
    noteUndone(report);
    // Only as it is it makes the run a cancelled one, which can not say what became of it: where something is left, it has failed.
    if (isCancellation(error) && root.consideredCancelled && report.notUndone.length === 0) throw error;
    throw withReport(error, report);
  }
}

function leftOpen(): ApplicationFailure {
  return refusal('saga-open', 'the run is continued as a new one while a saga is open: keep() or undo() it before');
}

async function undoAll(): Promise<SagaReport> {
  const reports: SagaReport[] = [];
  for (const saga of openSagas()) reports.push(await saga.undo());
  return {
    undone: reports.flatMap(({ undone }) => undone),
    notUndone: reports.flatMap(({ notUndone }) => notUndone),
    neverDone: reports.flatMap(({ neverDone }) => neverDone),
  };
}

function withReport(error: unknown, report: SagaReport): ApplicationFailure {
  const inner = innermost(error);
  const type = (inner instanceof ApplicationFailure && inner.type) || (isCancellation(error) ? 'cancelled' : 'failed');
  const { undone, notUndone } = report;
  const parts = [
    ...(undone.length > 0 ? [`undone: ${undone.join(', ')}`] : []),
    ...notUndone.map(({ step, why }) => `NOT undone: ${step} (${why})`),
  ];
  return ApplicationFailure.create({
    message: [messageOf(error), ...parts].join('; '),
    type,
    nonRetryable: isCancellation(error) || (inner instanceof ApplicationFailure && inner.nonRetryable === true),
    details: [{ happened: 'unknown', undone: report }],
    ...(error instanceof Error && { cause: error }),
  });
}
