import { backoff, isQuorateError, sleep } from '@quorate/core';
import type { Agent } from '../agent/agent.ts';

/** How long the agent is left alone between two looks at whether it still knows us, in milliseconds. */
const look = 60_000;

interface LookingAfter {
  /** The agent has it. Whether all is well; if not it is asked again soon. */
  readonly known: () => Promise<boolean>;
  /** The agent had it no more when it answered what was asked at this moment, by the monotonic clock. */
  readonly lost: (asked: number) => Promise<void>;
  readonly failing: (error: unknown) => void;
  readonly signal: AbortSignal;
}

/**
 * Looks after a registration until `signal` aborts. The agent is asked to answer when what it knows of it changes: an agent
 * that has lost it is noticed at once.
 */
export async function lookAfter(
  agent: Agent,
  id: string,
  { known, lost, failing, signal }: LookingAfter,
): Promise<never> {
  const delays = backoff({ min: 100, max: 5_000 });
  let hash: string | undefined;
  for (;;) {
    const asked = performance.now();
    try {
      const answer = await agent
        .call({
          operation: `look after ${id}`,
          path: `/agent/service/${encodeURIComponent(id)}`,
          query: hash === undefined ? {} : { hash, wait: `${look}ms` },
          timeout: look + look / 16 + 10_000,
          background: true,
          signal,
        })
        .catch((error) => {
          if (!isQuorateError(error, 'not-found')) throw error;
        });
      if (!answer) await lost(asked);
      else if (await known()) {
        // Without a change this was a full wait; with one there may be more to come.
        if (answer.hash === undefined || answer.hash !== hash) await sleep(100, { signal, background: true });
        hash = answer.hash;
        delays.reset();
        continue;
      }
    } catch (error) {
      signal.throwIfAborted();
      failing(error);
    }
    hash = undefined;
    await sleep(delays.next(), { signal, background: true });
  }
}
