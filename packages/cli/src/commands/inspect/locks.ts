import { Command } from 'commander';
import { addInspectOptions, type InspectFlags } from '../../inspect/flags.ts';
import { inspect } from '../../inspect/inspect.ts';
import { lineText, omissionsJson, participantJson } from '../../inspect/line-report.ts';
import { type LinesSeen, readLines } from '../../inspect/lines.ts';
import type { Shell } from '../../shell.ts';

export function locks(shell: Shell): Command {
  return addInspectOptions(new Command('locks'))
    .description('shows who holds which lock and who waits for it, at a path and below')
    .addHelpText(
      'after',
      `
Examples:
  $ quorate inspect locks                        every lock there is
  $ quorate inspect locks /locks/cab-42 --watch
  $ quorate inspect locks --json | jq '.locks[] | select(.waiters | length > 10) | .path'

A semaphore is two paths: below "leases" are those who hold a permit (the last of them may still wait for it), and
below "locks" those who wait, the first of them next.`,
    )
    .action((path: string, flags: InspectFlags) => show(shell, path, flags));
}

async function show(shell: Shell, path: string, flags: InspectFlags): Promise<void> {
  const kinds = ['lock', 'read-write lock', 'permits'] as const;
  await inspect<LinesSeen>(
    { read: (zk, path, signal) => readLines(zk, path, { kinds, most: flags.limit, signal }), text, json },
    path,
    flags,
    shell,
  );
}

/** Behind the state: what is held, or waited for. */
const purposes: Readonly<Record<string, string>> = {
  __READ__: ' to read',
  __WRIT__: ' to write',
  'lease-': ' a permit',
};

function text(seen: LinesSeen): string {
  return lineText(seen, {
    heading: 'LOCK',
    nobody: 'Nobody holds a lock, or waits for one,',
    state: ({ holds, mark }) => `${holds ? 'holds' : 'waits'}${purposes[mark] ?? ''}`,
  });
}

function json(seen: LinesSeen): object {
  const locks = seen.lines.map(({ path, kind, participants, more, error }) => ({
    path,
    kind,
    holders: participants.filter(({ holds }) => holds).map(participantJson),
    waiters: participants.filter(({ holds }) => !holds).map(participantJson),
    more,
    ...(error !== undefined && { error }),
  }));
  return { locks, ...omissionsJson(seen) };
}
