import type { Participant } from '@quorate/coordination';
import { Command } from 'commander';
import { addInspectOptions, type InspectFlags } from '../../inspect/flags.ts';
import { inspect } from '../../inspect/inspect.ts';
import { lineText, omissionsJson, participantJson } from '../../inspect/line-report.ts';
import { type LinesSeen, readLines } from '../../inspect/lines.ts';
import type { Shell } from '../../shell.ts';

export function leaders(shell: Shell): Command {
  return addInspectOptions(new Command('leaders'))
    .description('shows who leads and who are the candidates, at a path and below')
    .addHelpText(
      'after',
      `
Examples:
  $ quorate inspect leaders                      every election there is
  $ quorate inspect leaders /taxi/leader --watch
  $ quorate inspect leaders --json | jq -r '.elections[].leader.id'`,
    )
    .action((path: string, flags: InspectFlags) => show(shell, path, flags));
}

async function show(shell: Shell, path: string, flags: InspectFlags): Promise<void> {
  const kinds = ['election'] as const;
  await inspect<LinesSeen>(
    { read: (zk, path, signal) => readLines(zk, path, { kinds, most: flags.limit, signal }), text, json },
    path,
    flags,
    shell,
  );
}

function text(seen: LinesSeen): string {
  return lineText(seen, {
    heading: 'ELECTION',
    nobody: 'Nobody stands for election',
    state: ({ holds }) => (holds ? 'leads' : 'stands'),
    more: [{ heading: 'DATA', cell: dataOf }],
  });
}

function json(seen: LinesSeen): object {
  const elections = seen.lines.map(({ path, participants, more, error }) => {
    const all = participants.map((participant) => ({ ...participantJson(participant), data: dataOf(participant) }));
    return { path, leader: all[0] ?? null, candidates: all.slice(1), more, ...(error !== undefined && { error }) };
  });
  return { elections, ...omissionsJson(seen) };
}

/** What a candidate tells of itself beside its id: what is behind the first line. */
function dataOf({ data }: Participant): string {
  const end = data.indexOf('\n');
  return end === -1 ? '' : data.subarray(end + 1).toString();
}
