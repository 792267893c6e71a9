import { readFile } from 'node:fs/promises';
import { InvalidArgumentError } from '@quorate/core';
import type { Workflows } from '@quorate/workflow';
import type { Command } from 'commander';
import type { Shell } from './shell.ts';

/** Where Temporal is. */
export interface TemporalFlags {
  readonly temporal?: string;
  readonly namespace?: string;
  readonly tls?: true;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

export const temporalHelp = `
The server is at --temporal, or QUORATE_TEMPORAL. Where it asks for a key, that is in QUORATE_TEMPORAL_API_KEY; there is no option
for it, since other users of the machine could read it.`;

export function addTemporalOptions(command: Command): Command {
  return command
    .option('--temporal <address>', 'such as temporal:7233 (default: QUORATE_TEMPORAL)')
    .option('--namespace <name>', 'the namespace', 'default')
    .option('--tls', 'connect with TLS')
    .option('--tls-ca <file>', 'whose certificates are trusted, in PEM')
    .option('--tls-cert <file>', 'the certificate to show, in PEM')
    .option('--tls-key <file>', 'its key, in PEM');
}

export async function workflowsOf(flags: TemporalFlags, env: Shell['env'], signal: AbortSignal): Promise<Workflows> {
  const { temporal, namespace = 'default', tls, tlsCa, tlsCert, tlsKey } = flags;
  const address = temporal ?? env.QUORATE_TEMPORAL;
  if (!address)
    throw new InvalidArgumentError(
      'temporal',
      'an address: --temporal temporal:7233, or QUORATE_TEMPORAL, which eval "$(quorate status --export)" sets',
    );
  const files = {
    ...(tlsCa !== undefined && { ca: await readFile(tlsCa) }),
    ...(tlsCert !== undefined && { cert: await readFile(tlsCert) }),
    ...(tlsKey !== undefined && { key: await readFile(tlsKey) }),
  };
  // Loaded when it is needed: the library takes longer than all other commands together.
  const { Workflows } = await import('@quorate/workflow');
  return await Workflows.connect({
    address,
    namespace,
    // Nothing is started here.
    taskQueue: 'quorate-cli',
    ...(Object.keys(files).length > 0 ? { tls: files } : tls && { tls: true }),
    ...(env.QUORATE_TEMPORAL_API_KEY !== undefined && { apiKey: env.QUORATE_TEMPORAL_API_KEY }),
    identity: 'quorate-cli',
    connectTimeout: '5s',
    signal,
  });
}
