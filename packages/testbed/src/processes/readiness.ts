import { deadline, InvalidArgumentError } from '@quorate/core';
import { eventually } from '../eventually.ts';
import { unlessAborted } from '../unless-aborted.ts';
import { isFree, PortTakenError } from './ports.ts';
import { ServerFailedError } from './server-failed-error.ts';
import type { ServerPlan } from './server-plan.ts';

/** How long one question whether a server is ready may take, in milliseconds. */
const shortestLook = 200;
export const longestLook = 2_000;

/** A server that has been launched. */
interface Launched {
  /** How long it may take, in milliseconds. */
  readonly within: number;
  readonly isAlive: () => boolean;
  /** Its last words, for the error. */
  readonly log: () => Promise<string[]>;
  readonly signal: AbortSignal | undefined;
}

/** Asks a server whether it serves, no longer than `signal` allows: a question of the caller's may never be answered. */
export function ask(ready: ServerPlan['ready'], signal: AbortSignal): Promise<boolean> {
  return unlessAborted(signal, ready);
}

/** Resolves when the server says by its own protocol that it serves; rejects when it dies first, or the time is up. */
export async function becomeReady(
  { name, ports, ready }: ServerPlan,
  { within, isAlive, log, signal }: Launched,
): Promise<void> {
  const died = Symbol('died');
  let outcome: unknown;
  // A server may swallow a question that is asked too early: wait little at first, longer if it is only slow.
  let patience = shortestLook;
  try {
    outcome = await eventually(
      `${name} ready`,
      async (left) => {
        if (!isAlive()) return died;
        using look = deadline(patience, left);
        try {
          // Awaited here: a bare return would dispose of the look before it has looked.
          return await ask(ready, look.signal);
        } catch (error) {
          if (look.signal.aborted) patience = Math.min(longestLook, 2 * patience);
          throw error;
        }
      },
      { within, ...(signal && { signal }) },
    );
    // One that has died meanwhile cannot be what answered.
    if (outcome === true && isAlive()) return;
  } catch (cause) {
    signal?.throwIfAborted();
    throw new ServerFailedError(name, `did not become ready within ${within} ms`, await log(), cause);
  }
  // Or any answer would pass for a yes, such as a response of 500.
  if (outcome !== true && outcome !== died)
    throw new InvalidArgumentError('ready', 'a function that gives true or false', outcome);
  for (const port of ports) if (!(await isFree(port))) throw new PortTakenError(name, port);
  throw new ServerFailedError(name, 'died while starting', await log());
}
