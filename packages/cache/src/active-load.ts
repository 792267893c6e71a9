import { AsyncLocalStorage } from 'node:async_hooks';
import type { Turns } from './turns.ts';

const innermost = new AsyncLocalStorage<ActiveLoad>();

/** A load under way. What its loader asks a cache for, this load waits for. */
export class ActiveLoad {
  readonly keys: readonly string[];
  /** Where its own turn is from. */
  readonly turns: Turns;
  /** Whether it finds out if its origin is well again. */
  trial = false;
  readonly #cache: object;
  /** The one whose loader has asked for it. */
  #within: ActiveLoad | undefined = innermost.getStore();
  #over = false;

  constructor(cache: object, keys: readonly string[], turns: Turns) {
    this.#cache = cache;
    this.keys = keys;
    this.turns = turns;
  }

  /** What `work` asks for is asked for by this load. */
  run<T>(work: () => T): T {
    return innermost.run(this, work);
  }

  /** A loader may leave something behind that asks for more, such as a timer: nobody waits for that. */
  end(): void {
    this.#over = true;
    this.#within = undefined;
  }

  /** Whether the caller may be a loader. */
  static get anyAround(): boolean {
    return innermost.getStore() !== undefined;
  }

  /** Those loads of this cache that wait for the caller, the innermost first. */
  static around(cache: object): ActiveLoad[] {
    const around: ActiveLoad[] = [];
    for (let load = innermost.getStore(); load !== undefined && !load.#over; load = load.#within) {
      if (load.#cache === cache) around.push(load);
    }
    return around;
  }
}
