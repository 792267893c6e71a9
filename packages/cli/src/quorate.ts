#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { demo } from './commands/demo.ts';
import { doctor } from './commands/doctor.ts';
import { down } from './commands/down.ts';
import { fault } from './commands/fault.ts';
import { inspect } from './commands/inspect.ts';
import { keep } from './commands/keep.ts';
import { run } from './commands/run.ts';
import { sidecar } from './commands/sidecar.ts';
import { status } from './commands/status.ts';
import { up } from './commands/up.ts';
import { exitStatus } from './exit-status.ts';

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
  $ quorate fault kill kafka-1                       break one of them
  $ quorate inspect locks
  $ quorate down

Exit status: 0 all well, 1 something failed, 2 bad use; of run, the command's own.`,
  );
for (const command of [doctor(), run(), up(), status(), fault(), down(), demo(), inspect(), sidecar(), keep()]) {
  quorate.addCommand(command.copyInheritedSettings(quorate), { hidden: command.name() === 'keep' });
  for (const subcommand of command.commands) subcommand.copyInheritedSettings(command);
}

try {
  await quorate.parseAsync();
} catch (error) {
  process.exitCode = exitStatus('quorate', error);
}
