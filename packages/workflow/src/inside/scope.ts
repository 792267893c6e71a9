import type { AsyncLocalStorage as Storage } from 'node:async_hooks';
import { AsyncLocalStorage } from '@temporalio/workflow';

/** Something that the workflow asks of the world. */
export interface Call {
  readonly kind: 'activity' | 'child' | 'signal' | 'operation';
  readonly name: string;
  /** The key of the step, for an activity. */
  readonly key?: string;
}

/** What is asked within one step of a saga, or while it is undone. */
export interface StepScope {
  readonly saga: object;
  readonly calls: Call[];
  /** The keys of the steps that this undoes. */
  readonly undoes?: readonly string[] | undefined;
  /** The step within which this one is. */
  readonly outer: StepScope | undefined;
}

export const stepScope: Storage<StepScope> = new AsyncLocalStorage<StepScope>();

/** This scope and those around it, from the inside out. */
export function* enclosing(): Generator<StepScope> {
  for (let scope = stepScope.getStore(); scope !== undefined; scope = scope.outer) yield scope;
}

/** Notes a call with each step that it is part of. */
export function note(call: Call): void {
  for (const { calls } of enclosing()) calls.push(call);
}

/** What is undone at this place. */
export function undoesHere(): readonly string[] | undefined {
  for (const { undoes } of enclosing()) if (undoes !== undefined) return undoes;
  return undefined;
}
