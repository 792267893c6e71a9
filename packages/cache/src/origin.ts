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
import { CacheClosedError } from './errors/cache-closed-error.ts';
import { OriginUnavailableError } from './errors/origin-unavailable-error.ts';
import { OverloadedError } from './errors/overloaded-error.ts';
import type { Settings } from './options.ts';

/** Breakers beyond this number are those of names that were made up on the fly: the oldest goes. */
const mostBreakers = 1_000;

/** What is behind the cache, and what keeps it from being overrun: so many loads at a time, and none for a while after failures. */
export class Origin {
  readonly #settings: Settings['origin'];
  readonly #onRefused: () => void;
  readonly #bulkhead: BulkheadPolicy;
  readonly #breakers = new Map<string, CircuitBreakerPolicy>();

  constructor(settings: Settings['origin'], onRefused: () => void) {
    this.#settings = settings;
    this.#onRefused = onRefused;
    this.#bulkhead = bulkhead(settings.concurrency, settings.queue);
  }

  /** The origins that are not asked for now. */
  get broken(): string[] {
    return [...this.#breakers].filter(([, breaker]) => breaker.state === CircuitState.Open).map(([name]) => name);
  }

  /** Does `work` when it is its turn. That nobody wanted it any more is not held against the origin. */
  async call<T>(key: string, name: string, work: () => Promise<T>): Promise<T> {
    const breaker = this.#breaker(name);
    try {
      return await this.#bulkhead.execute(() => breaker.execute(work));
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

  #breaker(name: string): CircuitBreakerPolicy {
    const there = this.#breakers.get(name);
    if (there) return there;
    if (this.#breakers.size >= mostBreakers) {
      const [oldest] = this.#breakers.keys();
      if (oldest !== undefined) this.#breakers.delete(oldest);
    }
    const { breakAfter, breakFor } = this.#settings;
    const breaker = circuitBreaker(
      handleWhen((error) => !(error instanceof GivenUp) && !(error instanceof CacheClosedError)),
      { halfOpenAfter: breakFor, breaker: new ConsecutiveBreaker(breakAfter) },
    );
    this.#breakers.set(name, breaker);
    return breaker;
  }
}

/** Nobody waits for this load any more. */
export class GivenUp extends Error {}
