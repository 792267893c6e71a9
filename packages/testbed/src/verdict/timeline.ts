import type { Budget } from './budget.ts';

/** A call and when it may take effect: after `invoked`, before `completed`. Infinity: at any time, or never. */
export interface TimedCall<Call> {
  readonly call: Call;
  readonly invoked: number;
  readonly completed: number;
  /** Places in the list of calls that must have taken effect before this one. */
  readonly needs?: readonly number[];
}

export interface Required<Call> {
  readonly place: number;
  readonly call: Call;
  readonly bit: bigint;
  readonly reads: boolean;
  /** Calls that are equal, and need the same, have equal kinds. */
  readonly kind: string;
  readonly needs: readonly number[];
}

export interface Optional<Call> {
  readonly call: Call;
  readonly bit: bigint;
  /** The equal calls invoked before it. */
  readonly older: bigint;
}

/** The calls in the order in which a search meets them: a stage for each that must complete. */
export interface Timeline<Call> {
  readonly required: Required<Call>[];
  /** Per stage: the other calls open when it completes, by completion. */
  readonly open: Required<Call>[][];
  /** The calls that need never take effect, by invocation. */
  readonly optional: Optional<Call>[];
  /** Per stage: how many of `optional` have been invoked by then. */
  readonly available: number[];
  /** By place in the list of calls. */
  readonly stageOf: Map<number, number>;
}

/** Lays the calls out; stops early when the budget is spent. */
export function timelineOf<Call>(
  { reads = () => false }: { reads?(call: Call): boolean },
  calls: readonly TimedCall<Call>[],
  budget: Budget,
): Timeline<Call> {
  const timeline: Timeline<Call> = { required: [], open: [], optional: [], available: [], stageOf: new Map() };
  const at = (place: number): TimedCall<Call> => calls[place] as TimedCall<Call>;
  const places = calls.map((_, place) => place).sort((a, b) => at(a).invoked - at(b).invoked);
  const byCompletion = places
    .filter((place) => at(place).completed !== Number.POSITIVE_INFINITY)
    .sort((a, b) => at(a).completed - at(b).completed);
  const oldest = new Map<string, bigint>();
  const open = new Map<number, Required<Call>>();
  // A bit is used again once its call has completed, so that a long history needs no more bits than calls at a time.
  const free: bigint[] = [];
  let width = 0n;
  let next = 0;
  const begin = (place: number): void => {
    const { call, completed, needs = [] } = at(place);
    const kind = kindOf([call, needs]);
    if (completed !== Number.POSITIVE_INFINITY) {
      const bit = free.pop() ?? 1n << width++;
      open.set(place, { place, call, bit, reads: reads(call), kind, needs });
    } else if (!reads(call)) {
      const older = oldest.get(kind) ?? 0n;
      const bit = 1n << BigInt(timeline.optional.length);
      timeline.optional.push({ call, bit, older });
      oldest.set(kind, older | bit);
    }
  };
  for (const due of byCompletion) {
    for (; next < places.length && at(places[next] as number).invoked < at(due).completed; next += 1) {
      begin(places[next] as number);
    }
    const required = open.get(due) as Required<Call>;
    open.delete(due);
    free.push(required.bit);
    timeline.stageOf.set(due, timeline.required.length);
    timeline.required.push(required);
    timeline.open.push([...open.values()].sort((a, b) => at(a.place).completed - at(b.place).completed));
    timeline.available.push(timeline.optional.length);
    if (!budget.take(100 + 8 * open.size)) break;
  }
  return timeline;
}

function kindOf(call: unknown): string {
  return JSON.stringify(call, (_, value) =>
    typeof value === 'bigint'
      ? `bigint ${value}`
      : value === undefined
        ? 'nothing'
        : typeof value === 'string'
          ? `"${value}`
          : value,
  );
}
