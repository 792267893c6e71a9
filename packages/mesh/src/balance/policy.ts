import { compareInstances, type ServiceInstance } from '../discovery/service-instance.ts';
import type { Slot } from './slot.ts';

export type PolicyName = 'p2c' | 'round-robin' | 'weighted';

/** Chooses among those slots that may be chosen, of which there is at least one. They are in the order of their instances. */
export type Policy = (slots: readonly Slot[], mayBe: (slot: Slot) => boolean, now: number) => Slot;

export function policyOf(name: PolicyName, random: () => number): Policy {
  if (name === 'round-robin') return roundRobin();
  return name === 'weighted' ? weighted : powerOfTwoChoices(random);
}

/** Of two by chance the one with less to do for its weight: nearly as good as knowing all, and no herd runs to one. */
function powerOfTwoChoices(random: () => number): Policy {
  return (slots, mayBe, now) => {
    const first = Math.floor(random() * slots.length);
    const a = from(slots, first, mayBe);
    // Another one: the same twice would be no choice.
    const second = first + 1 + Math.floor(random() * (slots.length - 1));
    const b = from(slots, second, (slot) => slot !== a && mayBe(slot), a);
    return load(b, now) < load(a, now) ? b : a;
  };
}

function load({ inFlight, abandoned, abandonedUntil, instance }: Slot, now: number): number {
  return (inFlight + (abandonedUntil > now ? abandoned : 0) + 1) / Math.max(1, instance.weight);
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
  let [low, high] = [0, slots.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareInstances((slots[middle] as Slot).instance, last) > 0) high = middle;
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
    const weight = Math.max(1, slot.instance.weight);
    sum += weight;
    slot.credit += weight;
    if (best === undefined || slot.credit > best.credit) best = slot;
  }
  const chosen = best ?? (slots[0] as Slot);
  chosen.credit -= sum;
  return chosen;
}
