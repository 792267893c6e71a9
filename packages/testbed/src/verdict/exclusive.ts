import type { HistoryEvent } from '../history/event.ts';
import type { History } from '../history/history.ts';
import { type Holding, holdingLine, holdingsOf } from './holding.ts';
import { counted, rounded, startOf, type Verdict } from './verdict.ts';

export interface ExclusiveOptions {
  /**
   * How long, in milliseconds, a process that was paused may go on taking itself for the holder after it wakes. Default
   * 0. While it is paused it does nothing, and nothing can stop it from waking late: fencing tokens are for that.
   */
  readonly grace?: number;
  /** Judges only this lease. Default: each lease of the history, on its own. */
  readonly lease?: string;
}

/**
 * No lease has two holders at a time, and no token of a lease was given to two processes.
 *
 * A holding begins with `held` and ends with `released` of the same process, lease and token, with the kill of its process,
 * or not at all; `held` once more meanwhile changes nothing. The time its process was paused does not count, nor the
 * `grace` after it woke up; a kill ends both, and who holds under that name afterwards is awake. What is left of two holdings of a lease, be they of one process, must not have a moment in
 * common. Where one ends at the very time at which another begins, the order in the history decides.
 *
 * `unknown` when nobody held a lease.
 */
export function exclusive(history: History, { grace = 0, lease }: ExclusiveOptions = {}): Verdict {
  const check = 'exclusive';
  const { events } = history;
  const start = startOf(events);
  const holdings = holdingsOf(events).filter((holding) => lease === undefined || holding.lease === lease);
  if (holdings.length === 0) return { check, result: 'unknown', summary: 'nothing to judge: nobody held a lease' };
  const leases = Map.groupBy(holdings, (holding) => holding.lease);
  const size = `${counted(holdings.length, 'holding')} of ${counted(leases.size, 'lease')}`;
  const invalid = (summary: string, why: string, pair: readonly Holding[]): Verdict => {
    const lines = pair.map((holding) => holdingLine(holding, start));
    return { check, result: 'invalid', summary: `${summary} (${size})`, evidence: { why, lines } };
  };

  const asleep = pausesOf(events, grace);
  for (const [name, ofLease] of leases) {
    const byToken = new Map<bigint, Holding>();
    for (const holding of ofLease) {
      const other = byToken.get(holding.token);
      if (other !== undefined && other.process !== holding.process) {
        const why = `${other.process} and ${holding.process} were both given token ${holding.token}: a store cannot tell them apart.`;
        return invalid(`one token of ${name} was given to two holders`, why, [other, holding]);
      }
      byToken.set(holding.token, holding);
    }
    const awake = ofLease.flatMap((holding) => awakeParts(holding, asleep.get(holding.process) ?? []));
    awake.sort((a, b) => a.from - b.from || a.to - b.to);
    let latest: Awake | undefined;
    for (const part of awake) {
      // Another holding of the same process at once is two owners as well, unless it is one holding cut by a pause.
      if (latest !== undefined && latest.holding !== part.holding && overlaps(latest, part)) {
        const together = Math.min(latest.to, part.to) - part.from;
        const span = together === Number.POSITIVE_INFINITY ? 'to the end' : `for ${rounded(together).toFixed(2)} ms`;
        const [one, two] = [latest.holding, part.holding];
        const why = `From ${rounded(part.from - start).toFixed(2)} ms ${one.process} (token ${one.token}) and ${two.process} (token ${two.token}) both considered themselves the holder, ${span}.`;
        return invalid(
          `two holders of ${name} at once`,
          why,
          [one, two].sort((a, b) => a.held - b.held),
        );
      }
      // So far none overlapped, so the last to begin is the last to end.
      latest = part;
    }
  }
  return { check, result: 'valid', summary: size };
}

interface Awake {
  readonly holding: Holding;
  readonly from: number;
  readonly to: number;
}

interface Pause {
  readonly from: number;
  readonly to: number;
}

function overlaps(earlier: Awake, later: Awake): boolean {
  if (later.from < earlier.to) return true;
  // At equal times the order in which they were recorded decides.
  return (
    earlier.to === earlier.holding.to &&
    later.from === later.holding.from &&
    later.holding.held < earlier.holding.released
  );
}

/** By process, in order. Whoever has the name of one that was killed is another process. */
function pausesOf(events: readonly HistoryEvent[], grace: number): Map<string, Pause[]> {
  const pauses = new Map<string, Pause[]>();
  const ends = new Map(events.flatMap((event) => (event.type === 'healed' ? [[event.id, event.at]] : [])));
  for (const event of events) {
    if (event.type !== 'fault') continue;
    for (const process of event.target) {
      const before = pauses.get(process) ?? [];
      if (event.kind === 'pause') {
        const to = (ends.get(event.id) ?? Number.POSITIVE_INFINITY) + grace;
        pauses.set(process, [...before, { from: event.at, to }]);
      } else if (event.kind === 'kill') {
        const ended = before.map(({ from, to }) => ({ from, to: Math.min(to, event.at) }));
        pauses.set(process, ended);
      }
    }
  }
  return pauses;
}

/** The holding without the pauses of its process, which are in order. */
function awakeParts(holding: Holding, pauses: readonly Pause[]): Awake[] {
  const parts: Awake[] = [];
  let from = holding.from;
  const end = holding.to ?? Number.POSITIVE_INFINITY;
  for (const pause of pauses) {
    if (pause.to <= from || pause.from >= end) continue;
    if (pause.from > from) parts.push({ holding, from, to: pause.from });
    from = pause.to;
  }
  if (from < end || from === holding.from) parts.push({ holding, from, to: Math.max(from, end) });
  return parts;
}
