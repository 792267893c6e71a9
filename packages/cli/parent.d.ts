import type { ChildProcess, SpawnOptions } from 'node:child_process';

export const commandMark: string;

export function spawnGuarded(command: string, args: readonly string[], options: SpawnOptions): ChildProcess;
export function spawnCommand(
  command: string,
  args: readonly string[],
  options: SpawnOptions,
  grace?: number,
): { readonly child: ChildProcess; cleared(): Promise<void> };
export function forwardSignals(): { to(child: ChildProcess): void; stop(): void };
export function exitWithNpm(): void;
