import { Command } from 'commander';
import { askKeeper } from '../bed-control.ts';
import type { BedDescription } from '../bed-description.ts';
import { bedName } from '../bed-name.ts';
import { recordedNames } from '../bed-record.ts';
import type { Shell } from '../shell.ts';

interface Flags {
  readonly name: string;
  readonly all?: true;
  readonly json?: true;
}

export function down(shell: Shell): Command {
  return new Command('down')
    .description('stops the servers that run in the background and removes their data')
    .addOption(bedName())
    .option('--all', 'every bed')
    .option('--json', 'for programs')
    .addHelpText('after', '\nExamples:\n  $ quorate down\n  $ quorate down --name lab\n  $ quorate down --all')
    .action((flags: Flags) => takeDown(shell, flags));
}

async function takeDown(shell: Shell, { name, all, json }: Flags): Promise<void> {
  const stopped: string[] = [];
  for (const bed of all ? await recordedNames() : [name]) {
    const was = (await askKeeper(bed, { ask: 'down' })) as BedDescription | undefined;
    stopped.push(...(was?.servers ?? []).map((server) => server.name));
  }
  if (json) shell.print(JSON.stringify({ stopped }));
  else shell.print(stopped.length === 0 ? 'Nothing was up.' : `Stopped ${stopped.join(', ')}.`);
}
