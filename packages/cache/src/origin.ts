import { InvalidArgumentError } from '@quorate/core';
import { ActiveLoad } from './active-load.ts';
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
  /** Loads under way. */
  #loading = 0;

  constructor({ prefix, origin }: Pick<Settings, 'prefix' | 'origin'>, counters: Counters) {
    this.#cache = prefix;
    this.#settings = origin;
    this.#counters = counters;
  }

  /** The origins that are not asked for now. */
  get broken(): string[] {
    return [...this.#guards].filter(([, { breaker }]) => breaker.open).map(([name]) => name);
  }

  /** Whether the caller may be a loader of ours: then what it asks for goes through `ask`. To all others this costs nothing. */
  get asked(): boolean {
    return this.#loading > 0 && ActiveLoad.anyAround;
  }

  /**
   * What a loader asks its own cache for, with `work`: it is not to wait for itself, nor for those who wait for a turn while
   * it has one.
   */
  async ask<T>(keys: readonly string[], work: () => Promise<T>): Promise<T> {
    const around = ActiveLoad.around(this);
    for (const key of keys) checkCircle(key, around);
    const ends = [...new Set(around.map(({ turns }) => turns))].map((turns) => turns.hurry(keys));
    try {
      return await work();
    } finally {
      for (const end of ends) end();
    }
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
      await turns.take(keys, allowance);
      const active = new ActiveLoad(this, keys, turns);
      const around = this.asked ? ActiveLoad.around(this) : [];
      this.#loading += 1;
      try {
        allowance.start();
        return await breaker.call(
          (trial) => {
            active.trial = trial;
            return this.#counters.counted(() => traced(load, () => active.run(work)));
          },
          around.some((outer) => outer.turns === turns && outer.trial),
        );
      } finally {
        active.end();
        this.#loading -= 1;
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
    const counts = (error: unknown): boolean => {
      if (error instanceof GivenUp || error instanceof CacheClosedError) return false;
      try {
        return isFailure(error);
      } catch {
        // What it cannot judge counts. Callers get the error of the loader, not that of the judge.
        return true;
      }
    };
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

function checkCircle(key: string, around: readonly ActiveLoad[]): void {
  const own = around.findIndex(({ keys }) => keys.includes(key));
  if (own < 0) return;
  const between = around.slice(0, own).map(({ keys }) => keys[0]);
  const path = [key, ...between.reverse(), key].join(' → ');
  throw new InvalidArgumentError(
    'key',
    `another key than that of a load that waits for it (${path}): it would wait for itself; peek gives what is known`,
  );
}

/** Nobody waits for this load any more. */
export class GivenUp extends Error {}
