import type { Allowance } from './allowance.ts';
import { Breaker, Open } from './breaker.ts';
import { traced } from './diagnostics.ts';
import { CacheClosedError } from './errors/cache-closed-error.ts';
import { OriginUnavailableError } from './errors/origin-unavailable-error.ts';
import { OverloadedError } from './errors/overloaded-error.ts';
import type { Settings } from './options.ts';
import type { Counters } from './stats.ts';
import { Full, Turns } from './turns.ts';

/** Names beyond this number are made up on the fly: the one that was used least recently, and is not in use, goes. */
const mostNames = 1_000;

/** What protects one origin. */
interface Guard {
  readonly turns: Turns;
  readonly breaker: Breaker;
}

/** What is behind the cache, and what keeps it from being overrun: so many loads of each origin at a time, and none for a while after failures. */
export class Origin {
  readonly #cache: string;
  readonly #settings: Settings['origin'];
  readonly #counters: Counters;
  /** The one that was used last is the last. */
  readonly #guards = new Map<string, Guard>();

  constructor({ prefix, origin }: Pick<Settings, 'prefix' | 'origin'>, counters: Counters) {
    this.#cache = prefix;
    this.#settings = origin;
    this.#counters = counters;
  }

  /** The origins that are not asked for now. */
  get broken(): string[] {
    return [...this.#guards].filter(([, { breaker }]) => breaker.open).map(([name]) => name);
  }

  /**
   * Does `work`, which loads these keys, when it is its turn, and not at all when the allowance is over by then. Its time
   * begins with it. That nobody wanted it any more is not held against the origin.
   */
  async call<T>(
    keys: readonly [string, ...string[]],
    name: string,
    allowance: Allowance,
    work: () => Promise<T>,
  ): Promise<T> {
    const { turns, breaker } = this.#guard(name);
    const load = { cache: this.#cache, keys, origin: name };
    try {
      await turns.take(allowance);
      try {
        allowance.start();
        return await breaker.call(() => this.#counters.counted(() => traced(load, work)));
      } finally {
        turns.giveBack();
      }
    } catch (error) {
      if (!(error instanceof Open || error instanceof Full)) throw error;
      this.#counters.refusedLoads += 1;
      if (error instanceof Full) throw new OverloadedError(keys[0]);
      throw new OriginUnavailableError(keys[0], name, breaker.lastFailure);
    }
  }

  #guard(name: string): Guard {
    const there = this.#guards.get(name);
    const guard = there ?? this.#made();
    if (there) this.#guards.delete(name);
    else if (this.#guards.size >= mostNames) this.#forgetOne();
    this.#guards.set(name, guard);
    return guard;
  }

  #made(): Guard {
    const { concurrency, queue, breakAfter, breakFor, isFailure } = this.#settings;
    const counts = (error: unknown): boolean =>
      !(error instanceof GivenUp) && !(error instanceof CacheClosedError) && isFailure(error);
    return { turns: new Turns(concurrency, queue), breaker: new Breaker(breakAfter, breakFor, counts) };
  }

  /** One that loads nothing: of one that does, nobody would know how much. */
  #forgetOne(): void {
    for (const [name, { turns }] of this.#guards) {
      if (!turns.idle) continue;
      this.#guards.delete(name);
      return;
    }
  }
}

/** Nobody waits for this load any more. */
export class GivenUp extends Error {}
