import type { Operation } from '../history/operation.ts';
import { fieldOf } from '../history/plain.ts';
import type { Judged, Lost } from './lost.ts';
import { bigintOf } from './model.ts';

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
    const sum = operation.outcome === 'ok' ? bigintOf(operation.output) : undefined;
    return sum === undefined ? [] : [{ operation, by, sum }];
  });
  const all = adds.length + reads.length;
  const growing = adds.every(({ by }) => by >= 0n);
  const steps = growing ? seen.filter(({ by }) => by > 0n) : [];
  const lost = sameStep(steps) ?? outOfBounds(seen, adds, initial);
  if (lost !== undefined) return { count: all, lost };
  const firstDone = adds.reduce((least, { operation }) => Math.min(least, operation.completed), Infinity);
  const judged = steps.length > 1 || seen.some(({ operation }) => firstDone < operation.invoked);
  return { count: judged ? all : 0 };
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

function outOfBounds(seen: readonly Seen[], adds: readonly Add[], initial: bigint): Lost | undefined {
  const done = totals(adds.map(({ operation, by }) => ({ at: operation.completed, by })));
  const begun = totals(adds.map(({ operation, by }) => ({ at: operation.invoked, by })));
  for (const { operation, sum, by } of seen) {
    // Certain before it began, and begun before it ended: what lies between may count or not, by its sign.
    const certain = done(operation.invoked);
    const possible = begun(operation.completed);
    const least = initial + certain.up + possible.down + (by > 0n ? by : 0n);
    const most = initial + possible.up + certain.down + (by < 0n ? by : 0n);
    if (sum >= least && sum <= most) continue;
    const told = operation.op === 'read' ? 'read' : 'add';
    const why =
      sum < least
        ? `The adds that were ok before this ${told} began${by === 0n ? '' : ', and it itself,'} add up to at least ${least}, and it returned ${sum}: ${least - sum} is lost.`
        : `All adds begun before this ${told} ended add up to ${most} at most, and it returned ${sum}.`;
    const summary = sum < least ? 'an add was lost' : 'more was read than added';
    return { summary, why, operations: lastFew(operation, adds) };
  }
  return undefined;
}

/** The sum of the positive and of the negative parts of all that lies before a place. */
function totals(
  parts: readonly { readonly at: number; readonly by: bigint }[],
): (place: number) => { up: bigint; down: bigint } {
  const sorted = parts.toSorted((a, b) => a.at - b.at);
  const sums = [{ up: 0n, down: 0n }];
  for (const { by } of sorted) {
    const { up, down } = sums.at(-1) as { up: bigint; down: bigint };
    sums.push(by > 0n ? { up: up + by, down } : { up, down: down + by });
  }
  return (place) => {
    let from = 0;
    let to = sorted.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((sorted[middle]?.at ?? 0) < place) from = middle + 1;
      else to = middle;
    }
    return sums[from] as { up: bigint; down: bigint };
  };
}

/** A sum depends on all adds before it; the last few and the one that was told it are what fits on a page. */
function lastFew(told: Operation, adds: readonly Add[]): Operation[] {
  const others = adds.map(({ operation }) => operation).filter((operation) => operation !== told);
  return [...others.filter(({ invoked }) => invoked < told.completed).slice(-5), told];
}
