import { InvalidArgumentError } from '@quorate/core';
import { Command } from 'commander';
import { askKeeper } from '../bed-control.ts';
import { type BedDescription, bedRows } from '../bed-description.ts';
import { bedName } from '../bed-name.ts';
import { records } from '../bed-record.ts';
import type { Shell } from '../shell.ts';
import { table } from '../table.ts';

interface Flags {
  readonly name: string;
  readonly all?: true;
  readonly json?: true;
  readonly export?: true;
}

export function status(shell: Shell): Command {
  return new Command('status')
    .description('shows the servers that run in the background, and their health')
    .addOption(bedName())
    .option('--all', 'every bed in the background')
    .option('--json', 'print JSON')
    .option('--export', 'print shell commands that set QUORATE_ZOOKEEPER and the others')
    .addHelpText(
      'after',
      `
Examples:
  $ quorate status
  $ quorate status --all
  $ quorate status --json | jq -r .environment.QUORATE_REDIS
  $ eval "$(quorate status --export)"

Exit status 1 when nothing is up, a server is unhealthy, or a bed does not answer.`,
    )
    .action((flags: Flags) => (flags.all ? showAll(shell, flags) : show(shell, flags)));
}

const nothing: BedDescription = { servers: [], environment: {} };

async function show(shell: Shell, { name, json, export: exported }: Flags): Promise<void> {
  if (exported && json)
    throw new InvalidArgumentError(
      '--export',
      'the addresses as shell commands, without --json: it has them as "environment"',
    );
  const bed = (await askKeeper(name, { ask: 'status' })) as BedDescription | undefined;
  if (!bed || isUnhealthy(bed)) shell.status = 1;
  if (json) shell.print(JSON.stringify(bed ?? nothing, null, 2));
  else if (!bed)
    shell.complain(`Nothing is up${name === 'default' ? '' : ` by the name "${name}"`}.${await others(name)}`);
  else if (exported)
    for (const [key, value] of Object.entries(bed.environment))
      shell.print(`export ${key}='${value.replaceAll("'", `'\\''`)}'`);
  else shell.print(table(bedRows(bed)));
}

async function showAll(shell: Shell, { json, export: exported }: Flags): Promise<void> {
  if (exported) throw new InvalidArgumentError('--export', 'one bed, without --all');
  const beds = await Promise.all(
    (await records()).map(async ({ name, since }) => {
      try {
        const bed = (await askKeeper(name, { ask: 'status' })) as BedDescription | undefined;
        return { name, since, ...(bed ?? nothing) };
      } catch (error) {
        return { name, since, ...nothing, error: (error as Error).message };
      }
    }),
  );
  if (beds.length === 0 || beds.some((bed) => 'error' in bed || isUnhealthy(bed))) shell.status = 1;
  if (json) shell.print(JSON.stringify({ beds }, null, 2));
  else if (beds.length === 0) shell.complain('Nothing is up.');
  else {
    const rows = beds.flatMap((bed) => {
      if ('error' in bed) return [[bed.name, '', '', bed.error, '']];
      return bedRows(bed)
        .slice(1)
        .map((row) => [bed.name, ...row]);
    });
    shell.print(table([['BED', ...(bedRows(nothing)[0] ?? [])], ...rows]));
  }
}

function isUnhealthy({ servers }: BedDescription): boolean {
  return servers.some(({ health }) => health === 'fail');
}

async function others(name: string): Promise<string> {
  const names = (await records()).map((record) => record.name).filter((other) => other !== name);
  return names.length === 0 ? '' : ` Beds that are up: ${names.join(', ')}.`;
}
