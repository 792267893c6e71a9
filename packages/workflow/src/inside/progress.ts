import { defineQuery, setHandler } from '@temporalio/workflow';
import type { Progress } from '../carried/progress.ts';
import type { SagaReport } from '../carried/saga-report.ts';
import { steps } from './steps.ts';

type Said = Pick<Progress, 'doing' | 'done' | 'of'>;

let said: Said = {};
let undone: SagaReport | undefined;

/** Says how far the workflow is, for who asks by the query `progress`. What is left out stays as it was. */
export function progress(now: Said): void {
  said = { ...said, ...now };
}

export function noteUndone(report: SagaReport): void {
  undone = report;
}

export function answerProgress(): void {
  setHandler(
    defineQuery<Progress>('progress'),
    () => ({
      ...said,
      steps: steps.map(({ name, state }) => ({ step: name, state })),
      ...(undone !== undefined && { undone }),
    }),
    { description: 'How far it is: what it does, how much is done, and the steps of its sagas.' },
  );
}
