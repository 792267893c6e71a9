import type { Slot } from './slot.ts';

export type PolicyName = 'p2c' | 'round-robin' | 'weighted';

/** Chooses among slots of which there is at least one. */
export type Policy = (slots: readonly Slot[]) => Slot;

export function policyOf(name: PolicyName, random: () => number): Policy {
  if (name === 'round-robin') return roundRobin();
  return name === 'weighted' ? weighted : (slots) => powerOfTwoChoices(slots, random);
}

/** Of two by chance the one with less to do for its weight: nearly as good as knowing all, and no herd runs to one. */
function powerOfTwoChoices(slots: readonly Slot[], random: () => number): Slot {
  const first = Math.floor(random() * slots.length);
  // Another one: the same twice would be no choice.
  const second = (first + 1 + Math.floor(random() * (slots.length - 1))) % slots.length;
  const [a, b] = [slots[first] as Slot, slots[second] as Slot];
  return load(b) < load(a) ? b : a;
}

function load({ inFlight, instance }: Slot): number {
  return (inFlight + 1) / Math.max(1, instance.weight);
}

function roundRobin(): Policy {
  let last: string | undefined;
  return (slots) => {
    // By name and not by number: when the set changes, the turn goes on where it was.
    const next = slots.find(({ instance }) => last === undefined || instance.id > last) ?? slots[0];
    last = next?.instance.id;
    return next as Slot;
  };
}

/** Each is owed its weight every turn; who is owed most is next, and pays the sum. Evenly spread, and exact over a round. */
function weighted(slots: readonly Slot[]): Slot {
  let best = slots[0] as Slot;
  let sum = 0;
  for (const slot of slots) {
    const weight = Math.max(1, slot.instance.weight);
    sum += weight;
    slot.credit += weight;
    if (slot.credit > best.credit) best = slot;
  }
  best.credit -= sum;
  return best;
}
