import { once } from 'node:events';
import { constants } from 'node:os';
import { Testbed } from '@quorate/testbed';
import { Command } from 'commander';
import { forwardSignals, spawnCommand } from '../../parent.js';
import { interruptible } from '../interrupt.ts';
import { progressDisplay } from '../progress-display.ts';
import { addServerOptions, bedOptions, type ServerFlags } from '../server-options.ts';
import type { Shell } from '../shell.ts';

export function run(shell: Shell): Command {
  return addServerOptions(new Command('run'))
    .description('starts servers, runs a command with their addresses in its environment, and stops them')
    .usage('[servers] -- <command> [arguments]')
    .argument('<command>', 'the command to run')
    .argument('[arguments...]')
    .passThroughOptions()
    .addHelpText(
      'after',
      `
The command finds the servers in its environment: QUORATE_ZOOKEEPER, QUORATE_REDIS, QUORATE_KAFKA, QUORATE_CONSUL,
QUORATE_CONSUL_GRPC, QUORATE_ENVOY (the program), QUORATE_TEMPORAL, QUORATE_S3_<REGION>, QUORATE_DYNAMODB,
QUORATE_POSTGRES, QUORATE_MONGODB, QUORATE_PROMETHEUS, QUORATE_SPARK.

Examples:
  $ quorate run --zookeeper 3 -- node service.js
  $ quorate run --redis 1 --kafka 1 --s3 us-east-1,eu-west-1 -- npm test
  $ quorate run --consul 1 -- sh -c 'curl -s $QUORATE_CONSUL/v1/status/leader'

The exit status is the command's, or 128 plus the signal number when a signal ended it. The command ends with quorate run,
whatever ends that; what it has left running is ended as well, by SIGTERM, and after 5 s by SIGKILL.`,
    )
    .action((command: string, args: string[], flags: ServerFlags) => runCommand(shell, command, args, flags));
}

async function runCommand(shell: Shell, command: string, args: string[], flags: ServerFlags): Promise<void> {
  await using bed = await startBed(shell, flags);
  shell.status = await runWith(shell, bed.environment, command, args);
}

async function startBed(shell: Shell, flags: ServerFlags): Promise<Testbed> {
  using stop = interruptible();
  using display = progressDisplay(shell.stderr);
  const { signal } = stop;
  return await Testbed.start(bedOptions(flags), {
    signal,
    onProgress: display.onProgress,
    offline: flags.offline === true,
    ...(flags.disk !== undefined && { disk: flags.disk }),
  });
}

/** Runs the command to its end and that of what it leaves behind, passes signals on to it, and gives its exit status. */
async function runWith(
  shell: Shell,
  environment: Readonly<Record<string, string>>,
  command: string,
  args: readonly string[],
): Promise<number> {
  const signals = forwardSignals();
  const { child, cleared } = spawnCommand(command, args, {
    stdio: 'inherit',
    env: { ...shell.env, ...environment },
  });
  signals.to(child);
  try {
    const [status, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    return status ?? 128 + constants.signals[signal ?? 'SIGKILL'];
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    shell.complain(`quorate: ${missing ? `there is no command "${command}"` : (error as Error).message}`);
    // As a shell does.
    return missing ? 127 : 126;
  } finally {
    await cleared();
    // Not before: Ctrl-C, which has ended the command, may be on its way to us, and a library that hears of it alone would end us.
    signals.stop();
  }
}
