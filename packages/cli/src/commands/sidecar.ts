import { chmod, writeFile } from 'node:fs/promises';
import { deadline, isQuorateError, mayRetry, retry } from '@quorate/core';
import type { Bootstrap } from '@quorate/mesh';
import { Command } from 'commander';
import { addConsulOptions, type ConsulFlags, consulHelp, meshOf } from '../consul-options.ts';
import { interruptible } from '../interrupt.ts';
import type { Shell } from '../shell.ts';
import { durationFlag } from './duration-flag.ts';

interface Flags extends ConsulFlags {
  readonly admin?: string;
  readonly grpc?: string;
  readonly out?: string;
  /** In milliseconds. */
  readonly wait?: number;
}

export function sidecar(shell: Shell): Command {
  return new Command('sidecar')
    .description('Envoy as the sidecar of a service, for containers')
    .addHelpText(
      'after',
      '\nExamples:\n  $ quorate sidecar bootstrap query-$(hostname -s)-8080 --out /envoy/bootstrap.json',
    )
    .addCommand(bootstrap(shell));
}

function bootstrap(shell: Shell): Command {
  return addConsulOptions(new Command('bootstrap'))
    .description('prints the Envoy configuration for the sidecar of a service instance')
    .argument('<id>', 'the id of the instance, or of its sidecar')
    .option('--admin <address>', 'the admin address of Envoy (default: 127.0.0.1:19000)')
    .option('--grpc <address>', 'the gRPC address of the agent (default: the one the agent reports)')
    .option('--out <file>', 'write it to a file that only its owner can read, instead of printing it')
    .option(
      '--wait <time>',
      'how long to wait for the agent, and for the instance to be registered: seconds, or 500ms, 5m, …',
      durationFlag(0),
    )
    .addHelpText(
      'after',
      `${consulHelp}

Examples:
  $ quorate sidecar bootstrap query-$(hostname -s)-8080 --out /envoy/bootstrap.json --wait 60
  $ quorate sidecar bootstrap query-$(hostname -s)-8080 \\
      --consul https://127.0.0.1:8501 --ca ca.pem --token-file /run/token
  $ envoy --config-path /envoy/bootstrap.json

The configuration contains the token. Exit status 1 when the agent cannot be reached or does not know the instance.`,
    )
    .action((id: string, flags: Flags) => write(shell, id, flags));
}

async function write(shell: Shell, id: string, { admin, grpc, out, wait = 0, ...consul }: Flags): Promise<void> {
  using stop = interruptible();
  await using mesh = meshOf(consul, shell.env);
  const proxyId = id.endsWith('-sidecar-proxy') ? id : `${id}-sidecar-proxy`;
  const options = { ...(admin !== undefined && { admin }), ...(grpc !== undefined && { grpc }) };
  const read = (signal: AbortSignal): Promise<Bootstrap> => mesh.bootstrap(proxyId, { ...options, signal });
  const text = `${JSON.stringify(await patiently(read, wait, stop.signal), null, 2)}\n`;
  if (out === undefined) {
    shell.stdout.write(text);
    return;
  }
  await writeFile(out, text, { mode: 0o600 });
  // The mode above counts for a new file alone.
  await chmod(out, 0o600);
}

/** Again and again, until it is there or the time is over; then with the last error. */
async function patiently<T>(read: (signal: AbortSignal) => Promise<T>, wait: number, signal: AbortSignal): Promise<T> {
  if (wait === 0) return read(signal);
  using limit = deadline(wait, signal);
  let last: unknown;
  const attempt = async (): Promise<T> => {
    try {
      return await read(limit.signal);
    } catch (error) {
      if (!limit.signal.aborted) last = error;
      throw error;
    }
  };
  const when = (error: unknown): boolean =>
    (mayRetry(error, { idempotent: true }) || isQuorateError(error, 'not-found')) && !limit.signal.aborted;
  try {
    return await retry(attempt, { attempts: Infinity, min: 100, max: 1_000, when, signal: limit.signal });
  } catch (error) {
    signal.throwIfAborted();
    throw limit.signal.aborted && last !== undefined ? last : error;
  }
}
