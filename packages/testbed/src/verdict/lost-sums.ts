import { foundNothing, type Operation } from '../history/operation.ts';
import { fieldOf } from '../history/plain.ts';
import { countBelow } from './count-below.ts';
import { Deletes } from './deletes.ts';
import type { Judged, Lost } from './lost.ts';
import { bigintOf } from './model.ts';
import { type Total, totals } from './totals.ts';

interface Add {
  readonly operation: Operation;
  readonly by: bigint;
}

/** An operation that was told the sum: a read, or an add that returned what it came to. */
interface Seen {
  readonly operation: Operation;
  readonly sum: bigint;
  /** What it added itself. */
  readonly by: bigint;
}

/** Whether a number that is only added to lost an add, or has more in it than was added. */
export function lostSums(operations: readonly Operation[], initial: bigint): Judged {
  const asked = operations.flatMap((operation): Add[] => {
    const by = operation.op === 'add' ? bigintOf(fieldOf(operation.input, 'by')) : undefined;
    return by === undefined ? [] : [{ operation, by }];
  });
  if (asked.length === 0) return { count: 0 };
  const adds = asked.filter(({ operation }) => operation.outcome !== 'failed');
  const reads = operations.filter(({ op }) => op === 'read').map((operation) => ({ operation, by: 0n }));
  const seen = [...adds, ...reads].flatMap(({ operation, by }): Seen[] => {
    if (operation.outcome !== 'ok') return [];
    const sum = foundNothing(operation) ? 0n : bigintOf(operation.output);
    return sum === undefined ? [] : [{ operation, by, sum }];
  });
  const deletes = new Deletes(operations);
  const growing = deletes.count === 0 && adds.every(({ by }) => by >= 0n);
  const steps = growing ? seen.filter(({ by }) => by > 0n) : [];
  const all = adds.length + reads.length;
  const stepped = sameStep(steps);
  if (stepped !== undefined) return { count: all, lost: stepped };
  const { lost, isJudged } = outOfBounds(seen, adds, deletes, initial);
  return { count: isJudged || steps.length > 1 || lost !== undefined ? all : 0, ...(lost && { lost }) };
}

/** Each add takes the sum from one value to a higher one. Where two of these steps overlap, neither add saw the other. */
function sameStep(steps: readonly Seen[]): Lost | undefined {
  const bySum = steps.toSorted((a, b) => (a.sum < b.sum ? -1 : a.sum > b.sum ? 1 : 0));
  for (const [place, later] of bySum.entries()) {
    const earlier = bySum[place - 1];
    if (earlier === undefined || later.sum - later.by >= earlier.sum) continue;
    const why =
      earlier.sum === later.sum
        ? `Both adds returned ${later.sum}: one of them is lost.`
        : `One add took the sum from ${earlier.sum - earlier.by} to ${earlier.sum}, the other from ${later.sum - later.by} to ${later.sum}: one of them is lost.`;
    return { summary: 'an add was lost', why, operations: [earlier.operation, later.operation] };
  }
  return undefined;
}

/** The first that was told a sum that cannot be. It is judged where any had to have an add in it that was not its own. */
function outOfBounds(
  seen: readonly Seen[],
  adds: readonly Add[],
  deletes: Deletes,
  initial: bigint,
): { readonly isJudged: boolean; readonly lost?: Lost } {
  const done = sumsThatStay(adds, deletes);
  const begun = totals(adds.map(({ operation, by }) => ({ at: operation.invoked, by })));
  let isJudged = false;
  for (const { operation, sum, by } of seen) {
    // Certain before it began, and begun before it ended: what lies between may count or not, by its sign.
    const certain = done(operation);
    const possible = begun(operation.completed);
    if (certain.count > 0) isJudged = true;
    // Before anything was added nothing is a good answer, whatever the sum begins with.
    else if (foundNothing(operation)) continue;
    const mayBeDeleted = deletes.begunBefore(operation.completed) > 0;
    const [from, to] = !mayBeDeleted ? [initial, initial] : initial < 0n ? [initial, 0n] : [0n, initial];
    const least = from + certain.up + possible.down + (by > 0n ? by : 0n);
    const most = to + possible.up + certain.down + (by < 0n ? by : 0n);
    if (sum >= least && sum <= most) continue;
    const told = operation.op === 'read' ? 'read' : 'add';
    const returned = foundNothing(operation) ? 'nothing' : sum;
    const why =
      sum < least
        ? `The adds that were ok before this ${told} began${by === 0n ? '' : ', and it itself,'} add up to at least ${least}, and it returned ${returned}: ${least - sum} is lost.`
        : `All adds begun before this ${told} ended add up to ${most} at most, and it returned ${returned}.`;
    const summary = sum < least || foundNothing(operation) ? 'an add was lost' : 'more was read than added';
    return { isJudged, lost: { summary, why, operations: lastFew(operation, adds) } };
  }
  return { isJudged };
}

/**
 * Gives, for an operation, the total of the adds that were ok before it began and that no delete can have undone: those
 * that began when all deletes begun before its end were over.
 */
function sumsThatStay(adds: readonly Add[], deletes: Deletes): (operation: Operation) => Total {
  const begins = adds.map(({ operation }) => operation.invoked);
  // Between the begins of two deletes all have the same adds to look at, and each add is looked at for one of these times.
  const eras = new Map<number, (place: number) => Total>();
  return ({ invoked, completed }) => {
    const era = deletes.begunBefore(completed);
    let sums = eras.get(era);
    if (sums === undefined) {
      const from = countBelow(begins, deletes.overBefore(completed));
      const to = countBelow(begins, deletes.nextAfter(completed));
      sums = totals(adds.slice(from, to).map(({ operation, by }) => ({ at: operation.completed, by })));
      eras.set(era, sums);
    }
    return sums(invoked);
  };
}

/** A sum depends on all adds before it; the last few and the one that was told it are what fits on a page. */
function lastFew(told: Operation, adds: readonly Add[]): Operation[] {
  const others = adds.map(({ operation }) => operation).filter((operation) => operation !== told);
  return [...others.filter(({ invoked }) => invoked < told.completed).slice(-5), told];
}
