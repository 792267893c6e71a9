import { isQuorateError } from '@quorate/core';
import { CommanderError } from 'commander';
import { printable } from './inspect/printable.ts';
import { Interrupted } from './interrupt.ts';
import type { Output } from './shell.ts';

/** 0 success, 1 something failed, 2 bad use. Writes what went wrong to standard error, unless that has been done. */
export function exitStatus(program: string, error: unknown, { stderr }: { readonly stderr: Output }): number {
  // Commander has printed its own message by now; help and version are no failures.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof Interrupted) return error.exitStatus;
  // What is wrong may be what somebody else has written.
  const lines = (error instanceof Error ? error.message : String(error)).split('\n');
  stderr.write(`${program}: ${lines.map((line) => printable(line, 4_000)).join('\n')}\n`);
  if (!isQuorateError(error) && error instanceof Error) stderr.write(`${error.stack}\n`);
  return isQuorateError(error, 'invalid-argument') ? 2 : 1;
}
