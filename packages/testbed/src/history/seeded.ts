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
  return source(seed, '');
}

function source(seed: number, name: string): Seeded {
  const next = generator(seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0, hashed(name));
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
      if (items.length === 0) throw new InvalidArgumentError('items', 'a list that is not empty', items);
      return items[Math.floor(next() * items.length)] as (typeof items)[number];
    },
    fork: (child) => source(seed, `${name}/${child}`),
  };
}

/** Chris Doty-Humphrey's "small fast counting" generator, of 32 bits: passes PractRand, and needs no bigint. */
function generator(low: number, high: number, third: number): () => number {
  let [a, b, c, counter] = [low, high, third, 1];
  const next = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  };
  // Until every bit of the seed has reached every bit of the state.
  for (let round = 0; round < 15; round += 1) next();
  return next;
}

/** FNV-1a, of 32 bits. */
function hashed(text: string): number {
  let hash = 0x811c_9dc5;
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x0100_0193);
  return hash >>> 0;
}
