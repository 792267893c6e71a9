import { isQuorateError } from '@quorate/core';
import { CommanderError } from 'commander';
import { Interrupted } from './interrupt.ts';

/** 0 all well, 1 something failed, 2 bad use. Tells on standard error what went wrong, where that has not been told yet. */
export function exitStatus(program: string, error: unknown): number {
  // Commander has printed its own message by now; help and version are no failures.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof Interrupted) return error.exitStatus;
  console.error(`${program}: ${error instanceof Error ? error.message : String(error)}`);
  if (!isQuorateError(error) && error instanceof Error) console.error(error.stack);
  return isQuorateError(error, 'invalid-argument') ? 2 : 1;
}
