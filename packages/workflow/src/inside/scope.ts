import type { AsyncLocalStorage as Storage } from 'node:async_hooks';
import { AsyncLocalStorage } from '@temporalio/workflow';

/** Something that the workflow asks of the world. */
export interface Call {
  readonly kind: 'activity' | 'child' | 'signal';
  readonly name: string;
  /** The key of the step, for an activity. */
  readonly key?: string;
}

/** What is asked within one step of a saga, or while it is undone. */
export interface StepScope {
  readonly calls: Call[];
  /** The keys of the steps that this undoes. */
  readonly undoes?: readonly string[];
}

export const stepScope: Storage<StepScope> = new AsyncLocalStorage<StepScope>();
