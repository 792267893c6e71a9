import type { HistoryEvent } from './event.ts';

/** What one history has to say of the moment that is being merged, and how much of it has been taken. */
interface Source {
  readonly events: readonly HistoryEvent[];
  readonly ids: Map<number, number>;
  next: number;
  /** The place of its first event that is later than this moment. */
  end: number;
}

/**
 * Puts histories together by time, each keeping its own order. Ids are given out anew.
 *
 * At equal times nobody knows what came first, so what gives a checker the least to hold against a run goes first, as
 * far as the order within each history permits: see `goesBefore`.
 */
export function mergeEvents(histories: readonly (readonly HistoryEvent[])[]): HistoryEvent[] {
  const sources = histories.map((events): Source => ({ events, ids: new Map(), next: 0, end: 0 }));
  const merged: HistoryEvent[] = [];
  let lastId = 0;
  for (;;) {
    const at = Math.min(...sources.map(({ events, next }) => events[next]?.at ?? Number.POSITIVE_INFINITY));
    if (at === Number.POSITIVE_INFINITY) return merged;
    const now = sources.filter((source) => source.events[source.next]?.at === at);
    for (const source of now) {
      source.end = source.next;
      while (source.events[source.end]?.at === at) source.end += 1;
    }
    for (let left = now; left.length > 0; left = left.filter(({ next, end }) => next < end)) {
      const source = leastHarm(left);
      const event = source.events[source.next] as HistoryEvent;
      source.next += 1;
      if (!('id' in event)) {
        merged.push(event);
        continue;
      }
      let id = source.ids.get(event.id);
      if (id === undefined) {
        lastId += 1;
        id = lastId;
        source.ids.set(event.id, id);
      }
      merged.push({ ...event, id });
    }
  }
}

/** The source whose next event has the fewest events of other sources that should be in front of it: none, if possible. */
function leastHarm(sources: readonly Source[]): Source {
  let [best] = sources as [Source];
  if (sources.length === 1) return best;
  let least = Number.POSITIVE_INFINITY;
  for (const source of sources) {
    const event = source.events[source.next] as HistoryEvent;
    let harm = 0;
    for (const other of sources) {
      if (other === source) continue;
      for (let place = other.next; place < other.end && harm < least; place += 1) {
        if (goesBefore(other.events[place] as HistoryEvent, event)) harm += 1;
      }
    }
    if (harm >= least) continue;
    best = source;
    least = harm;
    if (harm === 0) break;
  }
  return best;
}

/** Of two events at one time, in two histories. */
function goesBefore(a: HistoryEvent, b: HistoryEvent): boolean {
  switch (b.type) {
    case 'ok':
    case 'failed':
    case 'ambiguous':
      // Both operations were then under way at once.
      return a.type === 'invoked';
    case 'held':
      // A lease is let go before it is taken, and was given in the order of its tokens.
      if (a.type === 'fault') return a.kind === 'kill' && !a.target.includes(b.process);
      return (a.type === 'released' || (a.type === 'held' && a.token < b.token)) && a.lease === b.lease;
    case 'fault':
      // A process that has been killed does nothing more.
      return b.kind === 'kill' && 'process' in a && b.target.includes(a.process);
    case 'received':
      return a.type === 'sent' && a.message === b.message;
    default:
      return false;
  }
}
