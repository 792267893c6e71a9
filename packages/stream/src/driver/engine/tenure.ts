import { type QuorateError, sleep } from '@quorate/core';
import { Again } from './failure.ts';
import type { Generation, Membership } from './membership.ts';

export interface TenureEvents {
  confirmed(at: number): void;
  trouble(error: QuorateError | undefined): void;
  /** The group does not count us any more. */
  gone(reason: QuorateError): void;
}

export type Ending = 'rebalance' | 'stop' | 'gone';

/** How often the member that shares the partitions out looks whether there are more of them. */
const countEvery = 10_000;

/** The time in which a share of the partitions is ours. Tells the group that we are there until it is closed, also after its end: while we hand over. */
export class Tenure {
  readonly ended: Promise<Ending>;
  /** Why there is nothing left to hand over. */
  gone: QuorateError | undefined;
  readonly #membership: Membership;
  readonly #generation: Generation;
  readonly #events: TenureEvents;
  readonly #every: number;
  readonly #over = new AbortController();
  readonly #closed = new AbortController();
  readonly #beating: Promise<void>;
  readonly #end: (ending: Ending) => void;
  #counted: number = performance.now();

  constructor(membership: Membership, generation: Generation, sessionTimeout: number, events: TenureEvents) {
    const { promise, resolve } = Promise.withResolvers<Ending>();
    this.ended = promise;
    this.#end = resolve;
    this.#membership = membership;
    this.#generation = generation;
    this.#events = events;
    this.#every = Math.min(3_000, sessionTimeout / 3);
    this.#beating = this.#beat();
  }

  /** Aborts with its end. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  end(ending: Ending): void {
    this.#end(ending);
    this.#over.abort(new Error(ending));
  }

  async close(): Promise<void> {
    this.end('stop');
    this.#closed.abort(new Error('closed'));
    await this.#beating;
  }

  async #beat(): Promise<void> {
    const { signal } = this.#closed;
    for (let wait = this.#every; ; ) {
      await sleep(wait, { signal }).catch(() => {});
      if (signal.aborted) return;
      try {
        await this.#beatOnce(signal);
        wait = this.#every;
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof Again) this.#events.trouble(error.failure);
        else return this.#lose(error as QuorateError);
        wait = Math.min(this.#every, 500);
      }
    }
  }

  async #beatOnce(signal: AbortSignal): Promise<void> {
    const at = performance.now();
    const found = await this.#membership.beat(this.#generation, signal);
    this.#events.confirmed(at);
    this.#events.trouble(undefined);
    if (found === 'rebalance') this.end('rebalance');
    else if (at - this.#counted > countEvery) {
      this.#counted = at;
      await this.#recount(signal);
    }
  }

  /** When this member joins again, the group shares anew. */
  async #recount(signal: AbortSignal): Promise<void> {
    const { counted } = this.#generation;
    if (!counted) return;
    const now = await this.#membership.count([...counted.keys()], signal);
    if ([...counted].some(([topic, count]) => now.get(topic) !== count)) this.end('rebalance');
  }

  #lose(reason: QuorateError): void {
    this.gone = reason;
    this.end('gone');
    this.#events.gone(reason);
  }
}
