import { Command } from 'commander';
import { endBed } from '../bed-end.ts';
import { bedName } from '../bed-name.ts';
import { records } from '../bed-record.ts';
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
    .option('--all', 'every bed in the background')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExamples:\n  $ quorate down\n  $ quorate down --name lab\n  $ quorate down --all')
    .action((flags: Flags) => takeDown(shell, flags));
}

async function takeDown(shell: Shell, { name, all, json }: Flags): Promise<void> {
  const names = all ? (await records()).map((record) => record.name) : [name];
  const ended = (await Promise.all(names.map(endBed))).filter((bed) => bed !== undefined);
  const stopped = ended.flatMap(({ servers }) => servers);
  const killed = ended.flatMap(({ killed }) => killed ?? []);
  if (json) shell.print(JSON.stringify({ stopped, ...(killed.length > 0 && { killed }) }));
  else if (ended.length === 0) shell.print('Nothing was up.');
  else shell.print(stopped.length === 0 ? 'Stopped before any server was up.' : `Stopped ${stopped.join(', ')}.`);
  for (const pid of killed) shell.complain(`The process ${pid}, which held them, did not answer and was killed.`);
}
