import { compareInstances, type ServiceInstance } from '../discovery/service-instance.ts';
import type { Slot } from './slot.ts';

export type PolicyName = 'p2c' | 'round-robin' | 'weighted';

/**
 * Chooses among those slots that may be chosen, of which there is at least one. They are in the order of their instances, and
 * the same list until something changes.
 */
export type Policy = (slots: readonly Slot[], mayBe: (slot: Slot) => boolean, now: number) => Slot;

export function policyOf(name: PolicyName, random: () => number): Policy {
  if (name === 'round-robin') return roundRobin();
  return name === 'weighted' ? weighted : powerOfTwoChoices(random);
}

/**
 * Of two drawn by weight the one with less to do for its weight: nearly as good as knowing all, and no herd runs to one. It is
 * the first one drawn where nothing is under way: each gets its share also of requests that come one by one.
 */
function powerOfTwoChoices(random: () => number): Policy {
  let known: readonly Slot[] = [];
  let ends = new Float64Array();
  return (slots, mayBe, now) => {
    if (slots !== known) {
      known = slots;
      ends = endsOf(slots);
    }
    const all = ends.at(-1) ?? 0;
    const at = (point: number): number => lowest(ends.length, (index) => (ends[index] as number) > point);
    const first = at(random() * all);
    const a = from(slots, first, mayBe);
    // Another one: the same twice would be no choice.
    const [begin, end] = [ends[first - 1] ?? 0, ends[first] ?? all];
    const point = random() * (all - (end - begin));
    const b = from(slots, at(point < begin ? point : point + end - begin), (slot) => slot !== a && mayBe(slot), a);
    // So many requests more, and `b` would be as busy as `a`. Less than one of them goes to `b` by chance, because always, or
    // never, would not be by weight. With the square, two of any weights get their exact shares from two callers.
    const lack = (busy(a, now) * weightOf(b)) / weightOf(a) - busy(b, now);
    return lack > 0 && random() < lack ** 2 ? b : a;
  };
}

/** Where the span of each slot ends that is as long as its weight, one after the other. */
function endsOf(slots: readonly Slot[]): Float64Array<ArrayBuffer> {
  let end = 0;
  return Float64Array.from(slots, (slot) => {
    end += weightOf(slot);
    return end;
  });
}

function busy({ inFlight, abandoned, abandonedUntil }: Slot, now: number): number {
  return inFlight + (abandonedUntil > now ? abandoned : 0);
}

function weightOf({ instance }: Slot): number {
  return Math.max(1, instance.weight);
}

function roundRobin(): Policy {
  let last: ServiceInstance | undefined;
  return (slots, mayBe) => {
    // By name and not by number: when the set changes, the turn goes on where it was.
    const next = from(slots, last === undefined ? 0 : after(slots, last), mayBe);
    last = next.instance;
    return next;
  };
}

/** Where the first slot after this instance is, or would be. */
function after(slots: readonly Slot[], last: ServiceInstance): number {
  return lowest(slots.length, (index) => compareInstances((slots[index] as Slot).instance, last) > 0);
}

/** The lowest of so many numbers that is `beyond`, as are all that are higher; `count`, when none is. */
function lowest(count: number, beyond: (index: number) => boolean): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (beyond(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The first that may be chosen from here on, around the end; `otherwise` when there is none. */
function from(slots: readonly Slot[], start: number, mayBe: (slot: Slot) => boolean, otherwise = slots[0]): Slot {
  for (let step = 0; step < slots.length; step += 1) {
    const slot = slots[(start + step) % slots.length] as Slot;
    if (mayBe(slot)) return slot;
  }
  return otherwise as Slot;
}

/** Each is owed its weight every turn; who is owed most is next, and pays the sum. Evenly spread, and exact over a round. */
function weighted(slots: readonly Slot[], mayBe: (slot: Slot) => boolean): Slot {
  let best: Slot | undefined;
  let sum = 0;
  for (const slot of slots) {
    if (!mayBe(slot)) continue;
    const weight = weightOf(slot);
    sum += weight;
    slot.credit += weight;
    if (best === undefined || slot.credit > best.credit) best = slot;
  }
  const chosen = best ?? (slots[0] as Slot);
  chosen.credit -= sum;
  return chosen;
}
