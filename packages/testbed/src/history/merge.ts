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
  const kept = neverReleased(histories);
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
      const source = leastHarm(left, kept);
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

/** How much it speaks against an order: any number of wishes gives way to one necessity. */
const wished = 1;
const necessary = 1e9;

/** The source whose next event has the least in other sources that should be in front of it: nothing, if possible. */
function leastHarm(sources: readonly Source[], kept: Kept): Source {
  let [best] = sources as [Source];
  if (sources.length === 1) return best;
  let least = Number.POSITIVE_INFINITY;
  for (const source of sources) {
    const event = source.events[source.next] as HistoryEvent;
    let harm = 0;
    for (const other of sources) {
      if (other === source) continue;
      for (let place = other.next; place < other.end && harm < least; place += 1) {
        harm += goesBefore(other.events[place] as HistoryEvent, event, kept);
      }
    }
    if (harm >= least) continue;
    best = source;
    least = harm;
    if (harm === 0) break;
  }
  return best;
}

/** Holdings that their holder never let go of: only its death ended them. By lease. */
type Kept = ReadonlyMap<string, readonly { readonly process: string; readonly token: bigint }[]>;

function neverReleased(histories: readonly (readonly HistoryEvent[])[]): Kept {
  const events = histories.flat();
  const name = (process: string, lease: string, token: bigint): string => JSON.stringify([process, lease, `${token}`]);
  const released = new Set(
    events.flatMap((event) => (event.type === 'released' ? [name(event.process, event.lease, event.token)] : [])),
  );
  const kept = events.filter(
    (event) => event.type === 'held' && !released.has(name(event.process, event.lease, event.token)),
  );
  return Map.groupBy(kept as Extract<HistoryEvent, { type: 'held' }>[], ({ lease }) => lease);
}

/** Of two events at one time, in two histories: whether the first is to be in front. */
function goesBefore(a: HistoryEvent, b: HistoryEvent, kept: Kept): number {
  // Both operations were then under way at once: either may have come first.
  if (a.type === 'invoked' && (b.type === 'ok' || b.type === 'failed' || b.type === 'ambiguous')) return wished;
  return cameBefore(a, b, kept) ? necessary : 0;
}

/** Whether the one event cannot have come after the other. */
function cameBefore(a: HistoryEvent, b: HistoryEvent, kept: Kept): boolean {
  switch (b.type) {
    case 'held':
      // A lease is given in the order of its tokens, and what ended the one before comes first: its release, or a death.
      if (a.type === 'held' || a.type === 'released') return a.lease === b.lease && a.token < b.token;
      if (a.type !== 'fault' || a.kind !== 'kill') return false;
      return (kept.get(b.lease) ?? []).some(
        ({ process, token }) => process !== b.process && token < b.token && a.target.includes(process),
      );
    case 'fault':
      // A process that has been killed does nothing more.
      return b.kind === 'kill' && 'process' in a && b.target.includes(a.process);
    case 'received':
      return a.type === 'sent' && a.message === b.message;
    default:
      return false;
  }
}
