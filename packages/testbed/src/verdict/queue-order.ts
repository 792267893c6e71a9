import type { QueueCall } from './queue-call.ts';
import type { TimedCall } from './timeline.ts';

/** When a value that was put in once was put in, and when it was taken out. */
export interface Passage {
  /** Between these the enqueue took effect. */
  readonly putFrom: number;
  readonly putBy: number;
  /** Between these it was taken; both Infinity when nobody can have taken it. */
  takenFrom: number;
  takenBy: number;
}

interface Placed extends Passage {
  readonly enqueue: number;
}

/**
 * What was taken out first had been put in first: pairs of enqueues, the later and the earlier, by place. Only neighbours
 * in the order of taking: the rest follows.
 */
export function enqueueOrder(calls: readonly TimedCall<QueueCall>[]): [later: number, earlier: number][] {
  const passages = passagesOf(calls).filter(({ takenFrom, takenBy }) => takenBy !== Infinity || takenFrom === Infinity);
  const byEnd = passages.filter(({ takenBy }) => takenBy !== Infinity).sort((a, b) => a.takenBy - b.takenBy);
  const pairs: [number, number][] = [];
  const before: Placed[] = [];
  let latestStart = Number.NEGATIVE_INFINITY;
  let next = 0;
  for (const later of passages.toSorted((a, b) => a.takenFrom - b.takenFrom)) {
    for (; next < byEnd.length && (byEnd[next] as Placed).takenBy < later.takenFrom; next += 1) {
      const earlier = byEnd[next] as Placed;
      before.push(earlier);
      latestStart = Math.max(latestStart, earlier.takenFrom);
    }
    for (let place = before.length - 1; place >= 0; place -= 1) {
      const earlier = before[place] as Placed;
      if (earlier.takenBy < latestStart) break;
      pairs.push([later.enqueue, earlier.enqueue]);
    }
  }
  return pairs;
}

/** Whether one or two values alone show that no queue can have done this; false proves nothing. */
export function isContradiction(calls: readonly TimedCall<QueueCall>[], fifo: boolean): boolean {
  const puts = new Map<string, { count: number; from: number }>();
  for (const { call, invoked } of calls) {
    if (call.op !== 'enqueue') continue;
    const put = puts.get(call.value);
    puts.set(call.value, { count: (put?.count ?? 0) + 1, from: Math.min(put?.from ?? invoked, invoked) });
  }
  const taken = new Map<string, number>();
  for (const { call, completed } of calls) {
    if (call.op !== 'dequeue' || typeof call.value !== 'string' || completed === Infinity) continue;
    const put = puts.get(call.value);
    const count = (taken.get(call.value) ?? 0) + 1;
    taken.set(call.value, count);
    // Nobody put it in, or not so often, or not yet.
    if (put === undefined || count > put.count || completed < put.from) return true;
  }
  return fifo && isOvertaken(passagesOf(calls));
}

/** Whether a value was certainly put in after another, and certainly taken out before it. */
function isOvertaken(passages: readonly Passage[]): boolean {
  const byPut = passages.toSorted((a, b) => a.putBy - b.putBy);
  let next = 0;
  let latest = Number.NEGATIVE_INFINITY;
  for (const { putFrom, takenBy } of passages.toSorted((a, b) => a.putFrom - b.putFrom)) {
    for (; next < byPut.length && (byPut[next] as Passage).putBy < putFrom; next += 1) {
      latest = Math.max(latest, (byPut[next] as Passage).takenFrom);
    }
    if (takenBy < latest) return true;
  }
  return false;
}

/** The values put in once and taken at most once. One that nobody is known to have taken tells nothing when somebody may have. */
function passagesOf(calls: readonly TimedCall<QueueCall>[]): Placed[] {
  const byValue = new Map<string, { puts: number[]; takes: number[] }>();
  let mayBeTaken = false;
  for (const [place, { call }] of calls.entries()) {
    if (call.value === undefined) mayBeTaken = true;
    if (typeof call.value !== 'string') continue;
    const value = byValue.get(call.value) ?? { puts: [], takes: [] };
    byValue.set(call.value, value);
    (call.op === 'enqueue' ? value.puts : value.takes).push(place);
  }
  return [...byValue.values()].flatMap(({ puts: [enqueue, ...others], takes: [dequeue, ...more] }): Placed[] => {
    if (enqueue === undefined || others.length + more.length > 0 || (dequeue === undefined && mayBeTaken)) return [];
    const put = calls[enqueue] as TimedCall<QueueCall>;
    const take = dequeue === undefined ? undefined : calls[dequeue];
    const takenFrom = take?.invoked ?? Infinity;
    return [{ enqueue, putFrom: put.invoked, putBy: put.completed, takenFrom, takenBy: take?.completed ?? Infinity }];
  });
}
