import type { QueueCall } from './queue-call.ts';
import type { Passage } from './queue-order.ts';
import type { TimedCall } from './timeline.ts';

type Span = Pick<TimedCall<unknown>, 'invoked' | 'completed'>;

/**
 * Decides a queue, or a bag, into which no value was put twice, in n log n, after Henzinger, Sezgin and Vafeiadis
 * ("Aspect-oriented linearizability proofs", 2013): such a history is right unless a value comes from nowhere or twice,
 * one overtakes another (in a queue), or it is found empty when at each moment some value was certainly in it.
 *
 * Takes whose value is not known may have taken what must be gone and what nobody else took. Which did does not matter
 * to the order of the others: the earliest takes what must be gone first. When only their choice could explain an empty
 * queue the answer is undefined, and so it is when a value was put in twice.
 *
 * Asked only where no contradiction between two values has been found: overtaking is not looked for again.
 */
export function decideDistinct(calls: readonly TimedCall<QueueCall>[], fifo: boolean): boolean | undefined {
  const passages = passagesOf(calls);
  if (passages === undefined) return undefined;
  const taken = passages.filter(({ takenBy }) => takenBy !== Infinity);
  const left = passages.filter(({ takenBy }) => takenBy === Infinity);
  const empties = calls.filter(({ call, completed }) => call.value === null && completed !== Infinity);
  const takers = calls.filter(({ call }) => call.op === 'dequeue' && call.value === undefined);
  const goneBy = departures(empties, fifo ? taken : []);
  // What somebody must have taken, and by when.
  const missing: { readonly passage: Passage; readonly by: number }[] = [];
  for (const passage of left) {
    const by = goneBy(passage.putBy);
    // Its own take may have happened: it did when it must, and otherwise did not.
    if (by !== Infinity && passage.takenFrom < by) continue;
    passage.takenFrom = Infinity;
    if (by !== Infinity) missing.push({ passage, by });
  }
  missing.sort((a, b) => a.by - b.by);
  takers.sort((a, b) => a.invoked - b.invoked);
  for (const [place, { passage, by }] of missing.entries()) {
    const { invoked = Infinity } = takers[place] ?? {};
    if (invoked >= by) return false;
    passage.takenFrom = invoked;
  }
  if (empties.every(emptyAtSomeTime(passages))) return true;
  return left.length === 0 ? false : undefined;
}

/** When each value was put in and taken out; undefined when one was put in or taken twice, or comes from nowhere: others judge that. */
function passagesOf(calls: readonly TimedCall<QueueCall>[]): Passage[] | undefined {
  const passages = new Map<string, Passage>();
  for (const { call, invoked, completed } of calls) {
    if (call.op !== 'enqueue') continue;
    if (passages.has(call.value)) return undefined;
    passages.set(call.value, { putFrom: invoked, putBy: completed, takenFrom: Infinity, takenBy: Infinity });
  }
  for (const { call, invoked, completed } of calls) {
    if (call.op !== 'dequeue' || typeof call.value !== 'string') continue;
    const passage = passages.get(call.value);
    // What may never have happened, and cannot have, did not.
    if (passage === undefined && completed === Infinity) continue;
    if (passage === undefined || passage.takenFrom !== Infinity) return undefined;
    Object.assign(passage, { takenFrom: invoked, takenBy: completed });
  }
  return [...passages.values()];
}

/**
 * By when a value must be gone that was certainly put in by a time: before what was put in after it has been taken, and
 * before a queue is found empty.
 */
function departures(empties: readonly Span[], taken: readonly Passage[]): (putBy: number) => number {
  const limits = [
    ...empties.map(({ invoked, completed }) => ({ after: invoked, by: completed })),
    ...taken.map(({ putFrom, takenBy }) => ({ after: putFrom, by: takenBy })),
  ].sort((a, b) => a.after - b.after);
  const earliest: number[] = [];
  for (let place = limits.length - 1; place >= 0; place -= 1) {
    earliest[place] = Math.min(limits[place]?.by ?? Infinity, earliest[place + 1] ?? Infinity);
  }
  return (putBy) => {
    let from = 0;
    let to = limits.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((limits[middle]?.after ?? 0) > putBy) to = middle;
      else from = middle + 1;
    }
    return earliest[from] ?? Infinity;
  };
}

/** Whether there is a moment within a span in which no value was certainly in the queue. */
function emptyAtSomeTime(passages: readonly Passage[]): (span: Span) => boolean {
  const stays: { readonly from: number; to: number }[] = [];
  for (const { putBy: from, takenFrom: to } of passages.toSorted((a, b) => a.putBy - b.putBy)) {
    const last = stays.at(-1);
    if (from >= to) continue;
    if (last === undefined || from > last.to) stays.push({ from, to });
    else last.to = Math.max(last.to, to);
  }
  return ({ invoked, completed }) => {
    let from = 0;
    let to = stays.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((stays[middle]?.from ?? 0) > invoked) to = middle;
      else from = middle + 1;
    }
    return (stays[from - 1]?.to ?? Number.NEGATIVE_INFINITY) < completed;
  };
}
