import { Budget } from './budget.ts';
import type { Model } from './model.ts';
import { Search } from './search.ts';
import type { TimedCall } from './timeline.ts';

export type Judgement =
  | { readonly result: 'valid' | 'unknown' }
  /** Invalid already when nothing after the completion of `blocked`, a place in the list, is looked at. */
  | { readonly result: 'invalid'; readonly blocked: number };

/** Judges the calls on one key: with the model's quick decision where it has one, with a search where not. */
export function judge<State, Call>(
  model: Model<State, Call>,
  calls: readonly TimedCall<Call>[],
  budget: Budget,
): Judgement {
  const decided = model.decide?.(calls);
  if (decided === true) return { result: 'valid' };
  if (decided === false) return { result: 'invalid', blocked: shortestBlocked(model, calls) };
  const { places, calls: fewer } = simplified(model, calls);
  const found = new Search(model, fewer, budget, { ahead: true }).run();
  if (found.result !== 'invalid') return found;
  const blocked = model.outlook === undefined ? found.blocked : blockedIn(model, fewer);
  return { result: 'invalid', blocked: places[blocked] as number };
}

/** Where one gets no further, without looking ahead; the end, when that takes too long to find out. */
function blockedIn<State, Call>(model: Model<State, Call>, calls: readonly TimedCall<Call>[]): number {
  const found = new Search(model, calls, new Budget({ milliseconds: 200, bytes: 2 ** 28 }), { ahead: false }).run();
  if (found.result === 'invalid') return found.blocked;
  const ends = calls.map(({ completed }) => (completed === Infinity ? Number.NEGATIVE_INFINITY : completed));
  return ends.reduce((last, completed, place) => (completed > (ends[last] as number) ? place : last), 0);
}

/** What had been invoked when the call at `blocked` completed. What was still open then may have taken effect or not. */
export function upTo<Timed extends TimedCall<unknown>>(calls: readonly Timed[], blocked: number): Timed[] {
  const end = calls[blocked]?.completed ?? Number.POSITIVE_INFINITY;
  return calls
    .filter(({ invoked }) => invoked < end)
    .map((timed) => (timed.completed > end ? { ...timed, completed: Number.POSITIVE_INFINITY } : timed));
}

/** Once a beginning is invalid every longer one is: so the shortest is found by halving. */
function shortestBlocked<State, Call>(model: Model<State, Call>, calls: readonly TimedCall<Call>[]): number {
  const ends = calls.flatMap(({ completed }, place) => (completed === Number.POSITIVE_INFINITY ? [] : [place]));
  ends.sort((a, b) => (calls[a]?.completed ?? 0) - (calls[b]?.completed ?? 0));
  let from = 0;
  let to = ends.length - 1;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (model.decide?.(upTo(calls, ends[middle] as number)) === false) to = middle;
    else from = middle + 1;
  }
  return ends[from] ?? 0;
}

/**
 * The same question with less freedom. A call that may never have taken effect, and whose absence the model promises to
 * be harmless, is left out. One whose effect was seen must have taken effect before whoever saw it completed.
 */
function simplified<State, Call>(
  model: Model<State, Call>,
  all: readonly TimedCall<Call>[],
): { readonly places: readonly number[]; readonly calls: TimedCall<Call>[] } {
  const isOptional = (place: number): boolean => all[place]?.completed === Number.POSITIVE_INFINITY;
  const gone = new Set<number>();
  for (const group of model.separable?.(all.map(({ call }) => call)) ?? []) {
    if (group.every(isOptional)) for (const place of group) gone.add(place);
  }
  const places = all.flatMap((_, place) => (gone.has(place) ? [] : [place]));
  const calls = places.map((place) => all[place] as TimedCall<Call>);
  const pairs = model.causes?.(calls) ?? [];
  // Along a chain of causes one pass reaches the next link at least; what is missed only makes the search longer.
  for (let pass = 0; pass < 3; pass += 1) bringForward(calls, pairs);
  for (const [effect, causes] of Map.groupBy(pairs, ([later]) => later)) {
    calls[effect] = { ...(calls[effect] as TimedCall<Call>), needs: causes.map(([, cause]) => cause) };
  }
  return { places, calls };
}

/** A cause took effect before its effect completed. */
function bringForward<Call>(calls: TimedCall<Call>[], pairs: readonly (readonly [number, number])[]): void {
  const completed = (place: number): number => calls[place]?.completed ?? Number.POSITIVE_INFINITY;
  const certain = pairs.filter(([effect]) => completed(effect) !== Number.POSITIVE_INFINITY);
  for (const [effect, cause] of certain.sort(([a], [b]) => completed(b) - completed(a))) {
    const timed = calls[cause] as TimedCall<Call>;
    const by = completed(effect);
    if (timed.invoked < by && by < timed.completed) calls[cause] = { ...timed, completed: by };
  }
}
