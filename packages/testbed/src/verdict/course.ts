import type { Operation } from '../history/operation.ts';

/** Where a number went, from an operation to those that began after it was complete. */
export interface Course {
  /** Whether any two came one after the other. */
  readonly isCompared: boolean;
  /** The first pair of which the later has the lower number, or the same one where it must not. */
  readonly back?: readonly [earlier: Operation, later: Operation];
}

export function courseOf(
  operations: readonly Operation[],
  numberOf: (operation: Operation) => bigint,
  mayEqual: (earlier: Operation, later: Operation) => boolean = () => true,
): Course {
  const byCompletion = operations.toSorted((a, b) => a.completed - b.completed);
  const byInvocation = operations.toSorted((a, b) => a.invoked - b.invoked);
  let next = 0;
  let highest: Operation | undefined;
  let isCompared = false;
  for (const later of byInvocation) {
    for (; next < byCompletion.length; next += 1) {
      const earlier = byCompletion[next] as Operation;
      if (earlier.completed >= later.invoked) break;
      if (highest === undefined || numberOf(earlier) >= numberOf(highest)) highest = earlier;
    }
    if (highest === undefined) continue;
    isCompared = true;
    const difference = numberOf(later) - numberOf(highest);
    if (difference < 0n || (difference === 0n && !mayEqual(highest, later)))
      return { isCompared, back: [highest, later] };
  }
  return { isCompared };
}
