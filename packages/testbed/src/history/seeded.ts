import { InvalidArgumentError } from '@quorate/core';

/** Chance that can be repeated: the same seed gives the same numbers on every machine. Not for secrets. */
export interface Seeded {
  readonly seed: number;
  /** From 0 up to, not including, 1. */
  next(): number;
  /** A whole number from `min` to `max`, both included. */
  integer(min: number, max: number): number;
  pick<Item>(items: readonly Item[]): Item;
  /** A source of its own, so that taking more here does not change what is taken there. */
  fork(name: string): Seeded;
}

export function seeded(seed: number): Seeded {
  if (!Number.isSafeInteger(seed)) throw new InvalidArgumentError('seed', 'a whole number', seed);
  let state = mixed(seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0);
  // A Weyl sequence put through a mixer: equidistributed, and a period of 2^32, plenty for a schedule.
  const next = (): number => {
    state = (state + 0x9e37_79b9) >>> 0;
    return mixed(state, 0x85eb_ca6b) / 2 ** 32;
  };
  return {
    seed,
    next,
    integer: (min, max) => {
      if (!(Number.isSafeInteger(min) && Number.isSafeInteger(max) && min <= max)) {
        throw new InvalidArgumentError('min, max', 'whole numbers, the smaller first', [min, max]);
      }
      return min + Math.floor(next() * (max - min + 1));
    },
    pick: (items) => {
      if (items.length === 0) throw new InvalidArgumentError('items', 'a list with something in it', items);
      return items[Math.floor(next() * items.length)] as (typeof items)[number];
    },
    fork: (name) => {
      let hash = seed >>> 0;
      for (const character of name) hash = mixed(hash, character.codePointAt(0) ?? 0);
      return seeded(hash);
    },
  };
}

function mixed(a: number, b: number): number {
  let x = (a ^ Math.imul(b, 0xc2b2_ae35)) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb_352d);
  x = Math.imul(x ^ (x >>> 15), 0x846c_a68b);
  return (x ^ (x >>> 16)) >>> 0;
}
