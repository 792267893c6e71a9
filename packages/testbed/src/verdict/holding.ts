import type { HistoryEvent } from '../history/event.ts';
import { type EvidenceLine, rounded } from './verdict.ts';

/** From when to when a process took itself for the holder of a lease. */
export interface Holding {
  readonly process: string;
  readonly lease: string;
  readonly token: bigint;
  readonly from: number;
  /** Places in the order of the history. */
  readonly held: number;
  /** Missing: until the end of the history. */
  readonly to?: number;
  readonly released: number;
  readonly reason?: string;
}

/** The holdings of a history, in the order they began. One ends when it is released, or when its process is killed. */
export function holdingsOf(events: readonly HistoryEvent[]): Holding[] {
  const open = new Map<string, { place: number; event: HistoryEvent & { type: 'held' } }>();
  const holdings: Holding[] = [];
  const end = (key: string, at: number | undefined, released: number, reason?: string): void => {
    const begun = open.get(key);
    if (begun === undefined) return;
    open.delete(key);
    const { process, lease, token, at: from } = begun.event;
    const until = at === undefined ? {} : { to: at };
    const why = reason === undefined ? {} : { reason };
    holdings.push({ process, lease, token, from, held: begun.place, ...until, released, ...why });
  };
  for (const [place, event] of events.entries()) {
    if (event.type === 'held') {
      const key = keyOf(event);
      // Holding it once more with the same token is the same holding.
      if (!open.has(key)) open.set(key, { place, event });
    } else if (event.type === 'released') {
      end(keyOf(event), event.at, place, event.reason);
    } else if (event.type === 'fault' && event.kind === 'kill') {
      for (const [key, { event: begun }] of open) {
        if (event.target.includes(begun.process)) end(key, event.at, place, 'killed');
      }
    }
  }
  for (const key of [...open.keys()]) end(key, undefined, Number.POSITIVE_INFINITY);
  return holdings.sort((a, b) => a.held - b.held);
}

export function holdingLine({ process, lease, token, from, to, reason }: Holding, start: number): EvidenceLine {
  return {
    process,
    what: `holds ${lease} with token ${token}${reason === undefined ? '' : ` (until ${reason})`}`,
    from: rounded(from - start),
    ...(to === undefined ? {} : { to: rounded(to - start) }),
    holding: { lease, token: String(token) },
  };
}

function keyOf({ process, lease, token }: { process: string; lease: string; token: bigint }): string {
  return JSON.stringify([process, lease, String(token)]);
}
