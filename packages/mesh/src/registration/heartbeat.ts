import { sleep } from '@quorate/core';
import type { Agent } from '../agent/agent.ts';
import { milliseconds } from '../duration.ts';
import { type Check, checkId } from './check.ts';

interface Told {
  readonly passed: (check: string) => void;
  readonly failing: (check: string, error: unknown) => void;
}

/**
 * Says for an instance that it lives, until `signal` aborts. Beats follow a schedule, three in each TTL, whatever became of the
 * one before: when one is lost, or not answered until the next one is due, there is time for another before the TTL ends.
 */
export function keepAlive(
  agent: Agent,
  { id, checks }: { readonly id: string; readonly checks: readonly Check[] },
  { passed, failing }: Told,
  signal: AbortSignal,
): void {
  checks.forEach((check, index) => {
    if (!('ttl' in check)) return;
    const every = milliseconds('ttl', check.ttl) / 3;
    const name = checkId(id, index);
    const beats = async (): Promise<void> => {
      for (;;) {
        await sleep(every, { signal, background: true });
        void beat(agent, name, signal, every).then(
          () => passed(name),
          (error) => !signal.aborted && failing(name, error),
        );
      }
    };
    beats().catch(() => undefined);
  });
}

/** The first beat of each, so that an instance is well from the moment it is there. */
export async function firstBeats(
  agent: Agent,
  { id, checks }: { readonly id: string; readonly checks: readonly Check[] },
  signal?: AbortSignal,
): Promise<void> {
  await Promise.all(checks.map((check, index) => 'ttl' in check && beat(agent, checkId(id, index), signal)));
}

async function beat(agent: Agent, check: string, signal?: AbortSignal, timeout?: number): Promise<void> {
  await agent.ask(
    {
      operation: `pass ${check}`,
      path: '/agent/check/pass',
      writes: true,
      signal,
      background: timeout !== undefined,
      ...(timeout !== undefined && { timeout }),
    },
    (client, options) => client.agent.check.pass({ id: check, ...options }),
  );
}
