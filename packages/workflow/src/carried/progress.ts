import type { SagaReport } from './saga-report.ts';

/** How far a workflow is: what every workflow answers to the query `progress`. */
export interface Progress {
  /** What it is doing, in its own words. */
  readonly doing?: string;
  /** How many of `of` are done, in whatever it counts. */
  readonly done?: number;
  readonly of?: number;
  /** The steps of its sagas, in the order in which they began. */
  readonly steps: readonly StepProgress[];
  /** What became of sagas that were undone. */
  readonly undone?: SagaReport;
}

export interface StepProgress {
  readonly step: string;
  readonly state: 'running' | 'done' | 'failed' | 'undoing' | 'undone' | 'not-undone';
}
