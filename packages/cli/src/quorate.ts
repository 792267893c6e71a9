#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { isQuorateError } from '@quorate/core';
import { Command, CommanderError } from 'commander';
import { demo } from './commands/demo.ts';
import { doctor } from './commands/doctor.ts';
import { down } from './commands/down.ts';
import { inspect } from './commands/inspect.ts';
import { keep } from './commands/keep.ts';
import { run } from './commands/run.ts';
import { status } from './commands/status.ts';
import { up } from './commands/up.ts';
import { Interrupted } from './interrupt.ts';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const quorate = new Command('quorate')
  .description('Real coordination servers on this machine: for demos, tests and classrooms.')
  .version(version)
  .showHelpAfterError('(add --help for what can be said)')
  .enablePositionalOptions()
  .exitOverride()
  .addHelpText(
    'after',
    `
Examples:
  $ quorate doctor                                   what is here, what is missing
  $ quorate run --zookeeper 3 --redis 1 -- npm test  servers for the time of one command
  $ quorate up --kafka 1 --consul 1                  servers in the background
  $ quorate status --json
  $ quorate inspect locks
  $ quorate down

Exit status: 0 all well, 1 something failed, 2 bad use; of run, the command's own.`,
  );
for (const command of [doctor(), run(), up(), status(), down(), demo(), inspect(), keep()]) {
  quorate.addCommand(command.copyInheritedSettings(quorate), { hidden: command.name() === 'keep' });
  for (const subcommand of command.commands) subcommand.copyInheritedSettings(command);
}

try {
  await quorate.parseAsync();
} catch (error) {
  process.exitCode = exitStatus(error);
}

function exitStatus(error: unknown): number {
  // Commander has printed its own message by now; help and version are no failures.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof Interrupted) return error.exitStatus;
  console.error(`quorate: ${error instanceof Error ? error.message : String(error)}`);
  if (!isQuorateError(error) && error instanceof Error) console.error(error.stack);
  return isQuorateError(error, 'invalid-argument') ? 2 : 1;
}
