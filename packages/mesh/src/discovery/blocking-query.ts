import { backoff, isQuorateError, mayRetry, sleep } from '@quorate/core';
import type { Answer } from '../agent/agent.ts';
import { watchEvents } from '../diagnostics.ts';

/** How one turn asks: a blocking query when there is an index to wait beyond. */
export interface Turn {
  readonly index?: string;
  readonly wait?: string;
  /** The client must be more patient than the agent, which adds up to a sixteenth of the wait by chance. */
  readonly timeout?: number;
  readonly signal: AbortSignal;
  readonly background: true;
}

export interface Follow<T> {
  /** For people: `service query`. */
  readonly watched: string;
  readonly ask: (turn: Turn) => Promise<Answer<T>>;
  /** Every answer that may be new. `anew`: the servers may be others than those of the last one. */
  readonly answered: (body: T, anew: boolean) => void;
  /** A turn failed, and will be tried again; undefined when one has succeeded. */
  readonly failing: (error: unknown) => void;
  readonly signal: AbortSignal;
  /** How long the agent may hold an answer back, in milliseconds. */
  readonly wait: number;
  /** How long to try, in milliseconds, before there has been any answer. */
  readonly patience: number;
}

/** Whatever the agent does, there is one turn in so many milliseconds, and a few more when there were none for a while. */
const interval = 100;
const burst = 5;

/**
 * Follows what the agent knows by blocking queries, under Consul's rules: the index must be above 0, one that goes backwards
 * begins anew, and the rate has a limit. Returns never; throws when aborted, or when no answer was ever to be had.
 */
export async function follow<T>({
  watched,
  ask,
  answered,
  failing,
  signal,
  wait,
  patience,
}: Follow<T>): Promise<never> {
  const began = performance.now();
  const failures = backoff({ min: 250, max: 10_000 });
  const restless = backoff({ min: interval, max: 5_000, jitter: 0 });
  let index = 0n;
  let ever = false;
  // When the next turn would be due if they were spread evenly: it may lie behind, by the burst at most.
  let due = -Infinity;
  for (;;) {
    due = Math.max(due, performance.now() - burst * interval) + interval;
    await sleep(Math.max(0, due - performance.now()), { signal, background: true });
    const last = performance.now();
    try {
      const answer = await ask(turn(index, wait, signal));
      const news = !ever || answer.index !== index;
      if (news) answered(answer.body, index === 0n);
      ever = true;
      failing(undefined);
      failures.reset();
      if (news) restless.reset();
      // An agent that answers at once although nothing is new would have us ask without end.
      else if (performance.now() - last < wait / 4) await sleep(restless.next(), { signal, background: true });
      if (answer.index < index) {
        watchEvents.publish({ watched, event: 'index-reset' });
        index = 0n;
      } else index = answer.index > 0n ? answer.index : 1n;
    } catch (error) {
      signal.throwIfAborted();
      // Before the first answer there is nothing to keep, and what will not pass by itself is best said at once.
      const hopeless = isQuorateError(error) && !mayRetry(error, { idempotent: true });
      if (!ever && (hopeless || performance.now() - began > patience)) throw error;
      watchEvents.publish({ watched, event: 'failed', error });
      failing(error);
      // What the index was worth is not known any more: the servers may be others.
      index = 0n;
      await sleep(failures.next(), { signal, background: true });
    }
  }
}

function turn(index: bigint, wait: number, signal: AbortSignal): Turn {
  if (index === 0n) return { signal, background: true };
  return { index: String(index), wait: `${wait}ms`, timeout: wait + wait / 16 + 10_000, signal, background: true };
}
