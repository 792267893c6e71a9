import { deadline, isQuorateError } from '@quorate/core';
import type { Progress, RunDescription, RunSummary } from '@quorate/workflow';
import { Command } from 'commander';
import { upTo } from '../../inspect/flags.ts';
import { asJson, printable } from '../../inspect/printable.ts';
import { interruptible } from '../../interrupt.ts';
import type { Shell } from '../../shell.ts';
import { table } from '../../table.ts';
import { addTemporalOptions, type TemporalFlags, temporalHelp, workflowsOf } from '../../temporal-options.ts';

interface Flags extends TemporalFlags {
  readonly query?: string;
  readonly limit: number;
  readonly json?: true;
}

export function workflows(shell: Shell): Command {
  return addTemporalOptions(new Command('workflows'))
    .description('shows the workflows of Temporal, or one of them: how far it is, what waits, and why')
    .argument('[id]', 'only this one')
    .option('--query <query>', 'as of Temporal, such as \'ExecutionStatus = "Running"\'')
    .option('--limit <count>', 'how many at most, the newest first', upTo(100_000), 50)
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `${temporalHelp}

Examples:
  $ quorate inspect workflows
  $ quorate inspect workflows ride-4711
  $ quorate inspect workflows --query 'ExecutionStatus = "Failed"' --json | jq -r '.[].id'`,
    )
    .action((id: string | undefined, flags: Flags) => show(shell, id, flags));
}

async function show(shell: Shell, id: string | undefined, { query, limit, json, ...temporal }: Flags): Promise<void> {
  using stop = interruptible();
  const { signal } = stop;
  await using found = await workflowsOf(temporal, shell.env, signal);
  if (id === undefined) {
    const list = await found.list({ limit, signal, ...(query !== undefined && { query }) });
    shell.print(json ? asJson(list) : overview(list));
    return;
  }
  const run = found.get(id);
  const description = await run.describe({ signal });
  using soon = deadline(3_000, signal);
  const progress = await run.query('progress', { signal: soon.signal }).catch((error: unknown) => {
    signal.throwIfAborted();
    // It has no worker now, or is none of ours.
    if (!isQuorateError(error)) throw error;
    return undefined;
  });
  shell.print(json ? asJson({ ...description, progress }) : whole(description, progress));
}

function overview(list: readonly RunSummary[]): string {
  if (list.length === 0) return 'There are no workflows.';
  const rows = list.map(({ id, type, status, taskQueue, started, ended, events }) => [
    printable(id, 60),
    printable(type, 40),
    status,
    printable(taskQueue, 40),
    started.toISOString(),
    ended?.toISOString() ?? '',
    String(events),
  ]);
  return table([['ID', 'TYPE', 'STATUS', 'QUEUE', 'STARTED', 'ENDED', 'EVENTS'], ...rows]);
}

function whole(found: RunDescription, progress: Progress | undefined): string {
  const { id, runId, type, status, taskQueue, started, ended, events, stuck, pendingActivities } = found;
  const lines = [
    ['ID', printable(id)],
    ['RUN', runId],
    ['TYPE', printable(type)],
    ['STATUS', stuck > 0 ? `${status}; its code has failed ${stuck} times where it is` : status],
    ['QUEUE', printable(taskQueue)],
    ['STARTED', started.toISOString()],
    ...(ended === undefined ? [] : [['ENDED', ended.toISOString()]]),
    ['EVENTS', String(events)],
    ...doing(progress),
  ];
  const steps = (progress?.steps ?? []).map(({ step, state }) => [printable(step, 60), state]);
  const waiting = pendingActivities.map(({ activity, attempt, lastFailure, lastHeartbeat }) => [
    printable(activity, 40),
    String(attempt),
    lastHeartbeat?.toISOString() ?? '',
    printable(lastFailure ?? '', 100),
  ]);
  return [
    table(lines),
    ...(steps.length === 0 ? [] : [table([['STEP', 'STATE'], ...steps])]),
    ...(waiting.length === 0 ? [] : [table([['ACTIVITY', 'ATTEMPT', 'LAST HEARTBEAT', 'LAST FAILURE'], ...waiting])]),
  ].join('\n\n');
}

function doing(progress: Progress | undefined): string[][] {
  if (progress === undefined) return [['PROGRESS', 'unknown: no worker answers']];
  const { doing: what, done, of } = progress;
  const count = done === undefined ? [] : [of === undefined ? String(done) : `${done} of ${of}`];
  const parts = [...(what === undefined ? [] : [printable(what, 100)]), ...count];
  return parts.length === 0 ? [] : [['PROGRESS', parts.join(', ')]];
}
