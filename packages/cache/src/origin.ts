import {
  BrokenCircuitError,
  type BulkheadPolicy,
  BulkheadRejectedError,
  bulkhead,
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhen,
} from 'cockatiel';
import type { Allowance } from './allowance.ts';
import { CacheClosedError } from './errors/cache-closed-error.ts';
import { OriginUnavailableError } from './errors/origin-unavailable-error.ts';
import { OverloadedError } from './errors/overloaded-error.ts';
import type { Settings } from './options.ts';

/** Names beyond this number are made up on the fly: the one that was used least recently, and is not in use, goes. */
const mostNames = 1_000;

/** What protects one origin. */
interface Guard {
  readonly bulkhead: BulkheadPolicy;
  readonly breaker: CircuitBreakerPolicy;
}

/** What is behind the cache, and what keeps it from being overrun: so many loads of each origin at a time, and none for a while after failures. */
export class Origin {
  readonly #settings: Settings['origin'];
  readonly #onRefused: () => void;
  /** The one that was used last is the last. */
  readonly #guards = new Map<string, Guard>();

  constructor(settings: Settings['origin'], onRefused: () => void) {
    this.#settings = settings;
    this.#onRefused = onRefused;
  }

  /** The origins that are not asked for now. */
  get broken(): string[] {
    return [...this.#guards].filter(([, { breaker }]) => breaker.state === CircuitState.Open).map(([name]) => name);
  }

  /**
   * Does `work` when it is its turn, and not at all when the allowance is over by then. Its time begins with it. That
   * nobody wanted it any more is not held against the origin.
   */
  async call<T>(key: string, name: string, allowance: Allowance, work: () => Promise<T>): Promise<T> {
    const guard = this.#guard(name);
    // Its turn may come late: who waits for it may give up before that.
    return await allowance.bound(() => this.#inTurn(guard, key, name, allowance, work));
  }

  async #inTurn<T>(
    { bulkhead, breaker }: Guard,
    key: string,
    name: string,
    allowance: Allowance,
    work: () => Promise<T>,
  ): Promise<T> {
    try {
      return await bulkhead.execute(() => {
        allowance.start();
        return breaker.execute(work);
      });
    } catch (error) {
      if (error instanceof BrokenCircuitError) {
        this.#onRefused();
        const failure = breaker.lastFailure;
        throw new OriginUnavailableError(key, name, failure && 'error' in failure ? failure.error : error);
      }
      if (!(error instanceof BulkheadRejectedError)) throw error;
      this.#onRefused();
      throw new OverloadedError(key, error);
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
    const breaker = circuitBreaker(
      handleWhen((error) => !(error instanceof GivenUp) && !(error instanceof CacheClosedError) && isFailure(error)),
      { halfOpenAfter: breakFor, breaker: new ConsecutiveBreaker(breakAfter) },
    );
    return { bulkhead: bulkhead(concurrency, queue), breaker };
  }

  /** One that loads nothing: of one that does, nobody would know how much. */
  #forgetOne(): void {
    for (const [name, { bulkhead }] of this.#guards) {
      if (bulkhead.executionSlots < this.#settings.concurrency) continue;
      this.#guards.delete(name);
      return;
    }
  }
}

/** Nobody waits for this load any more. */
export class GivenUp extends Error {}
