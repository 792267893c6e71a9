import type { Allowance } from './allowance.ts';

/** So many at a time, and so many in line for their turn. */
export class Turns {
  readonly #atOnce: number;
  readonly #longest: number;
  #taken = 0;
  /** Each with the keys that it is for. */
  readonly #line = new Map<() => void, readonly string[]>();
  /** How many who have a turn wait for a key. */
  readonly #urgent = new Map<string, number>();

  constructor(atOnce: number, longest: number) {
    this.#atOnce = atOnce;
    this.#longest = longest;
  }

  get idle(): boolean {
    return this.#taken === 0;
  }

  /** Resolves at its turn, which is to be given back. Throws `Full`; or, when the allowance is over before that, its reason. */
  async take(keys: readonly string[], allowance: Allowance): Promise<void> {
    if (this.#taken < this.#atOnce || (this.#urgent.size > 0 && keys.some((key) => this.#urgent.has(key)))) {
      this.#taken += 1;
      return;
    }
    if (this.#line.size >= this.#longest) throw new Full();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#line.set(resolve, keys);
    try {
      await allowance.bound(() => promise);
    } catch (error) {
      // Its turn may have come at the same moment.
      if (!this.#line.delete(resolve)) this.giveBack();
      throw error;
    }
  }

  giveBack(): void {
    // There may be more than so many, see `hurry`.
    const next = this.#taken > this.#atOnce ? undefined : this.#line.keys().next().value;
    if (next === undefined) {
      this.#taken -= 1;
      return;
    }
    this.#line.delete(next);
    next();
  }

  /**
   * Somebody who has a turn waits for these keys: if they waited for theirs in line, all who have one could come to wait for
   * those in line. They go at once, beyond so many at a time, until it is said that there is no hurry any more.
   */
  hurry(keys: readonly string[]): () => void {
    for (const key of keys) this.#urgent.set(key, (this.#urgent.get(key) ?? 0) + 1);
    for (const [next, its] of this.#line) {
      if (!its.some((key) => this.#urgent.has(key))) continue;
      this.#line.delete(next);
      this.#taken += 1;
      next();
    }
    return () => {
      for (const key of keys) {
        const left = (this.#urgent.get(key) ?? 0) - 1;
        if (left > 0) this.#urgent.set(key, left);
        else this.#urgent.delete(key);
      }
    };
  }
}

/** The line is as long as it may be. */
export class Full extends Error {}
