import type { CancellationScope } from '@temporalio/workflow';
import type { StepProgress } from '../carried/progress.ts';
import type { Call } from './scope.ts';

/** A step of a saga: what was done, and how it is undone. */
export interface Step {
  name: string;
  state: StepProgress['state'];
  /** What it asked of the world, in order. */
  readonly calls: Call[];
  readonly scope: CancellationScope;
  /** Resolves when nothing of it runs any more, however it ended. */
  ended: Promise<unknown>;
  /** Whether it certainly did nothing. */
  nothing: boolean;
  readonly undo: () => Promise<unknown>;
}

/** All steps of the run, in the order in which they began. */
export const steps: Step[] = [];
