import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { demo } from './commands/demo.ts';
import { doctor } from './commands/doctor.ts';
import { down } from './commands/down.ts';
import { fault } from './commands/fault.ts';
import { inspect } from './commands/inspect.ts';
import { keep } from './commands/keep.ts';
import { logs } from './commands/logs.ts';
import { run } from './commands/run.ts';
import { sidecar } from './commands/sidecar.ts';
import { status } from './commands/status.ts';
import { stream } from './commands/stream.ts';
import { up } from './commands/up.ts';
import { exitStatus } from './exit-status.ts';
import { Shell, type Surroundings } from './shell.ts';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const commands = [doctor, run, up, status, logs, fault, down, demo, inspect, sidecar, stream, keep];

/** The command `quorate`: what it is given, and where. Resolves with its exit status. */
export async function main(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const shell = new Shell(surroundings);
  const quorate = program(shell);
  for (const make of commands) {
    const command = make(shell);
    quorate.addCommand(command.copyInheritedSettings(quorate), { hidden: command.name() === 'keep' });
    for (const subcommand of command.commands) subcommand.copyInheritedSettings(command);
  }
  try {
    await quorate.parseAsync(args, { from: 'user' });
    return shell.status;
  } catch (error) {
    return exitStatus('quorate', error, shell);
  }
}

function program({ stdout, stderr }: Shell): Command {
  return new Command('quorate')
    .description('Real coordination servers on this machine: for demos, tests and classrooms.')
    .version(version)
    .showHelpAfterError('(--help lists the commands and options)')
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      getOutHelpWidth: () => stdout.columns as number,
      getErrHelpWidth: () => stderr.columns as number,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .addHelpText(
      'after',
      `
Examples:
  $ quorate doctor                                   which programs are installed, which are missing
  $ quorate run --zookeeper 3 --redis 1 -- npm test  servers for the time of one command
  $ quorate up --kafka 1 --consul 1                  servers in the background
  $ quorate status --json
  $ quorate fault kill kafka-1                       break one of them
  $ quorate inspect locks
  $ quorate down

Exit status: 0 success, 1 something failed, 2 bad use; for run, the exit status of its command.`,
    );
}
