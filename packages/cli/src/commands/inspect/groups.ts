import type { GroupReport } from '@quorate/stream';
import { Command } from 'commander';
import { asJson, printable } from '../../inspect/printable.ts';
import { interruptible } from '../../interrupt.ts';
import { addKafkaOptions, type KafkaFlags, kafkaHelp, streamOf } from '../../kafka-options.ts';
import type { Shell } from '../../shell.ts';
import { table } from '../../table.ts';

interface Flags extends KafkaFlags {
  readonly json?: true;
}

export function groups(shell: Shell): Command {
  return addKafkaOptions(new Command('groups'))
    .description('shows the consumer groups of Kafka: how far each is behind, and who has which partition')
    .argument('[group]', 'only this one')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `${kafkaHelp}

Examples:
  $ quorate inspect groups
  $ quorate inspect groups meter
  $ quorate inspect groups --json | jq '.[] | select(.state == "Empty") | .group'`,
    )
    .action((group: string | undefined, flags: Flags) => show(shell, group, flags));
}

async function show(shell: Shell, group: string | undefined, { json, ...kafka }: Flags): Promise<void> {
  using stop = interruptible();
  await using stream = streamOf(kafka, shell.env);
  const reports = await stream.inspection().groups({ ...(group !== undefined && { group }), signal: stop.signal });
  shell.print(json ? asJson(reports) : text(reports));
}

function text(reports: readonly GroupReport[]): string {
  const now = Date.now();
  const rows = reports.flatMap(({ group, state, partitions, trouble }) => {
    const name = [printable(group, 60), trouble === undefined ? state : `${state}: ${printable(trouble, 100)}`];
    if (partitions.length === 0) return [[...name, '', '', '', '', '']];
    return partitions.map(({ topic, partition, committed, lag, oldestUnread, member }, index) => [
      ...(index === 0 ? name : ['', '']),
      `${printable(topic, 60)} ${partition}`,
      committed === undefined ? 'none' : String(committed),
      String(lag ?? 'unknown'),
      oldestUnread === undefined ? '' : ago(now - oldestUnread),
      printable(member ?? '(nobody)', 60),
    ]);
  });
  const headings = ['GROUP', 'STATE', 'PARTITION', 'COMMITTED', 'LAG', 'OLDEST UNREAD', 'MEMBER'];
  return rows.length === 0 ? 'There are no groups.' : table([headings, ...rows]);
}

function ago(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 120) return `${seconds} s ago`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min ago`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h ago` : `${Math.round(seconds / 86_400)} days ago`;
}
