import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { QuorateError } from '@quorate/core';
import { endCarriers } from './carriers.ts';
import { tolerant } from './tolerant.ts';
import type { Launch, Launcher } from './warden.ts';

export interface RunOptions extends Omit<Launch, 'output'> {
  readonly signal?: AbortSignal | undefined;
  /** Called for each line it prints, on either output. */
  readonly onLine?: (line: string) => void;
}

/** How many lines are kept for the error. */
const keptLines = 30;

/** A command of ours ended with a failure. Its last lines are in the message. */
export class CommandFailedError extends QuorateError {
  constructor(command: string, how: string, lines: readonly string[]) {
    const said = lines.length > 0 ? `. Its output:\n${lines.map((line) => `  | ${line}`).join('\n')}` : '';
    super(`${command} ${how}${said}`, { code: 'command-failed' });
  }
}

/** Runs a command to its end. When `signal` aborts, it and all it started are killed. */
export async function run(launcher: Launcher, { signal, onLine, ...launch }: RunOptions): Promise<void> {
  signal?.throwIfAborted();
  // All that it starts has it too.
  const mark = { QUORATE_RUN: randomUUID() };
  const child = await launcher.launch({ ...launch, env: { ...launch.env, ...mark }, output: 'pipe' });
  const lines: string[] = [];
  for (const output of [child.stdout, child.stderr]) {
    if (!output) continue;
    createInterface({ input: output }).on('line', (line) => {
      lines.push(line);
      if (lines.length > keptLines) lines.shift();
      onLine?.(line);
    });
  }
  const kill = (): void => {
    const pid = child.pid as number;
    const hasEnded = child.exitCode !== null || child.signalCode !== null;
    // A group keeps its number while it has a member: a process with the number of one that has ended is a stranger.
    if (!(hasEnded && tolerant(() => process.kill(pid, 0), false)))
      tolerant(() => process.kill(-pid, 'SIGKILL'), false);
    // Whoever got away holds them open.
    child.stdout?.destroy();
    child.stderr?.destroy();
  };
  signal?.addEventListener('abort', kill, { once: true });
  if (signal?.aborted) kill();
  const [status, killedBy] = (await once(child, 'close')) as [number | null, string | null];
  signal?.removeEventListener('abort', kill);
  if (signal?.aborted) {
    // The warden sees to those who cannot be ended now.
    await endCarriers(mark).catch(() => {});
    throw signal.reason;
  }
  if (status === 0) return;
  throw new CommandFailedError(
    launch.command,
    killedBy ? `was ended by ${killedBy}` : `failed with status ${status}`,
    lines,
  );
}
