import { codeOf } from './store.ts';

/** What each was rejected with; all of them are under way at once. */
export function codesOf(calls: readonly Promise<unknown>[]): Promise<string[]> {
  return Promise.all(calls.map(codeOf));
}

/** A call under way, and whether it has come to an end. */
export interface Pending<T> {
  readonly outcome: Promise<T>;
  readonly isSettled: boolean;
}

export function pending<T>(outcome: Promise<T>): Pending<T> {
  let isSettled = false;
  const settled = (): void => {
    isSettled = true;
  };
  outcome.then(settled, settled);
  return {
    outcome,
    get isSettled() {
      return isSettled;
    },
  };
}
