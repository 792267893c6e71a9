import type { HistoryEvent } from './event.ts';

// At equal times nobody knows what came first, so what gives a checker the least to hold against a run goes first:
// work begins before other work ends, and a lease is let go before it is taken.
const rank: Record<HistoryEvent['type'], number> = {
  note: 0,
  fault: 0,
  invoked: 1,
  released: 2,
  sent: 3,
  received: 4,
  healed: 5,
  ok: 6,
  failed: 6,
  ambiguous: 6,
  held: 7,
};

/** Puts histories together by time, each keeping its own order. Ids are given out anew. */
export function mergeEvents(histories: readonly (readonly HistoryEvent[])[]): HistoryEvent[] {
  const sources = histories.map((events) => ({ events, next: 0, ids: new Map<number, number>() }));
  const merged: HistoryEvent[] = [];
  let lastId = 0;
  for (;;) {
    let chosen: (typeof sources)[number] | undefined;
    let first: HistoryEvent | undefined;
    for (const source of sources) {
      const head = source.events[source.next];
      if (head !== undefined && (first === undefined || isBefore(head, first))) {
        chosen = source;
        first = head;
      }
    }
    if (chosen === undefined || first === undefined) return merged;
    chosen.next += 1;
    if (!('id' in first)) {
      merged.push(first);
      continue;
    }
    let id = chosen.ids.get(first.id);
    if (id === undefined) {
      lastId += 1;
      id = lastId;
      chosen.ids.set(first.id, id);
    }
    merged.push({ ...first, id });
  }
}

function isBefore(a: HistoryEvent, b: HistoryEvent): boolean {
  return a.at < b.at || (a.at === b.at && rank[a.type] < rank[b.type]);
}
