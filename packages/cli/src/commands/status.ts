import { Command } from 'commander';
import { askKeeper } from '../bed-control.ts';
import { type BedDescription, bedRows } from '../bed-description.ts';
import { bedName } from '../bed-name.ts';
import { recordedNames } from '../bed-record.ts';
import type { Shell } from '../shell.ts';
import { table } from '../table.ts';

interface Flags {
  readonly name: string;
  readonly json?: true;
  readonly export?: true;
}

export function status(shell: Shell): Command {
  return new Command('status')
    .description('shows the servers that run in the background, and how they are')
    .addOption(bedName())
    .option('--json', 'for programs')
    .option('--export', 'as shell commands that set QUORATE_ZOOKEEPER and the others')
    .addHelpText(
      'after',
      `
Examples:
  $ quorate status
  $ quorate status --json | jq -r .environment.QUORATE_REDIS
  $ eval "$(quorate status --export)"

Exit status 1 when nothing is up, or a server is not well.`,
    )
    .action((flags: Flags) => show(shell, flags));
}

async function show(shell: Shell, { name, json, export: exported }: Flags): Promise<void> {
  const bed = (await askKeeper(name, { ask: 'status' })) as BedDescription | undefined;
  if (!bed || bed.servers.some(({ health }) => health === 'fail')) shell.status = 1;
  if (json) shell.print(JSON.stringify(bed ?? { servers: [], environment: {} }, null, 2));
  else if (!bed)
    shell.complain(`Nothing is up${name === 'default' ? '' : ` by the name "${name}"`}.${await others(name)}`);
  else if (exported)
    for (const [key, value] of Object.entries(bed.environment))
      shell.print(`export ${key}='${value.replaceAll("'", `'\\''`)}'`);
  else shell.print(table(bedRows(bed)));
}

async function others(name: string): Promise<string> {
  const names = (await recordedNames()).filter((other) => other !== name);
  return names.length === 0 ? '' : ` There is: ${names.join(', ')}.`;
}
