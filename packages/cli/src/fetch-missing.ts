import { inventory, Programs } from '@quorate/testbed';
import { progressDisplay } from './progress-display.ts';
import type { Output } from './shell.ts';

/**
 * Brings what is not here of the programs that servers need, or of those that are named, all at once. What is large is
 * among the latter only. One that fails does not stop the others;
 * resolves with what went wrong.
 */
export async function fetchMissing(signal: AbortSignal, stderr: Output, names?: readonly string[]): Promise<Error[]> {
  const { items } = await inventory();
  const missing = items.filter(
    ({ name, state, purpose }) => state === 'missing' && (names ? names.includes(name) : purpose === 'server'),
  );
  if (missing.length === 0) return [];
  using display = progressDisplay(stderr);
  stderr.write(`Fetching ${missing.map(({ name }) => name).join(', ')}: some minutes, this once.\n`);
  const programs = new Programs({ onProgress: display.onProgress });
  const outcomes = await Promise.allSettled(missing.map(({ name }) => programs.get(name, signal)));
  signal.throwIfAborted();
  return outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as Error] : []));
}
