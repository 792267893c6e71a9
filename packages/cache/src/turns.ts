import type { Allowance } from './allowance.ts';

/** So many at a time, and so many in line for their turn. */
export class Turns {
  readonly #atOnce: number;
  readonly #longest: number;
  #taken = 0;
  readonly #line = new Set<() => void>();

  constructor(atOnce: number, longest: number) {
    this.#atOnce = atOnce;
    this.#longest = longest;
  }

  get idle(): boolean {
    return this.#taken === 0;
  }

  /** Resolves at its turn, which is to be given back. Throws `Full`; or, when the allowance is over before that, its reason. */
  async take(allowance: Allowance): Promise<void> {
    if (this.#taken < this.#atOnce) {
      this.#taken += 1;
      return;
    }
    if (this.#line.size >= this.#longest) throw new Full();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#line.add(resolve);
    try {
      await allowance.bound(() => promise);
    } catch (error) {
      // Its turn may have come at the same moment.
      if (!this.#line.delete(resolve)) this.giveBack();
      throw error;
    }
  }

  giveBack(): void {
    const [next] = this.#line;
    if (next === undefined) {
      this.#taken -= 1;
      return;
    }
    this.#line.delete(next);
    next();
  }
}

/** The line is as long as it may be. */
export class Full extends Error {}
