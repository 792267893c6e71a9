import type { RegisterCall } from './register-call.ts';
import type { TimedCall } from './timeline.ts';

/**
 * Decides a register on which no value was written twice, in n log n, after Gibbons and Korach ("Testing shared
 * memories", 1997). The write of a value and its reads form a zone, from the first completion among them to the last
 * invocation. A zone that goes forward in time is a span in which the register must have had that value: two of them may
 * not overlap, and none may enclose all the time another value could have had. Undefined when a value was written
 * twice, or there is a compare-and-set.
 */
export function decideByZones(initial: string, calls: readonly TimedCall<RegisterCall>[]): boolean | undefined {
  const zones = new Map<string, Zone>([[initial, { written: -1, low: -1, high: -1 }]]);
  for (const { call, invoked, completed } of calls) {
    if (call.op === 'cas') return undefined;
    if (call.op === 'read') continue;
    if (zones.has(call.value)) return undefined;
    zones.set(call.value, { written: invoked, low: completed, high: invoked });
  }
  for (const { call, invoked, completed } of calls) {
    // A read that may never have completed says nothing.
    if (call.op !== 'read' || call.output === undefined || completed === Number.POSITIVE_INFINITY) continue;
    const zone = zones.get(call.output);
    if (zone === undefined || completed < zone.written) return false;
    zone.low = Math.min(zone.low, completed);
    zone.high = Math.max(zone.high, invoked);
  }
  const all = [...zones.values()];
  const forward = all.filter(({ low, high }) => low < high).sort((a, b) => a.low - b.low);
  if (forward.some(({ low }, place) => place > 0 && low < (forward[place - 1] as Zone).high)) return false;
  return all.every((zone) => zone.low < zone.high || !isEnclosed(zone, forward));
}

interface Zone {
  readonly written: number;
  low: number;
  high: number;
}

/** Whether a zone that goes backward lies within one that goes forward; those are in order and apart. */
function isEnclosed({ low, high }: Zone, forward: readonly Zone[]): boolean {
  let from = 0;
  let to = forward.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((forward[middle] as Zone).low < high) from = middle + 1;
    else to = middle;
  }
  const before = forward[from - 1];
  return before !== undefined && low < before.high;
}
