import type { DeadLetter, TopicReport } from '@quorate/stream';
import { Command } from 'commander';
import { asJson, printable } from '../../inspect/printable.ts';
import { interruptible } from '../../interrupt.ts';
import { addKafkaOptions, type KafkaFlags, kafkaHelp, streamOf } from '../../kafka-options.ts';
import type { Shell } from '../../shell.ts';
import { table } from '../../table.ts';

interface Flags extends KafkaFlags {
  readonly dead?: true;
  readonly json?: true;
}

export function topics(shell: Shell): Command {
  return addKafkaOptions(new Command('topics'))
    .description('shows the topics of Kafka, the partitions of one, or its dead letters with their reasons')
    .argument('[topic]', 'only this one')
    .option('--dead', 'show the dead letters of the topic')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `${kafkaHelp}

Examples:
  $ quorate inspect topics
  $ quorate inspect topics taxi.rides
  $ quorate inspect topics taxi.rides --dead
  $ quorate inspect topics --json | jq -r '.[].topic'`,
    )
    .action((topic: string | undefined, flags: Flags, command: Command) => {
      if (flags.dead && topic === undefined) command.error("error: option '--dead' needs a topic");
      return show(shell, topic, flags);
    });
}

async function show(shell: Shell, topic: string | undefined, { dead, json, ...kafka }: Flags): Promise<void> {
  using stop = interruptible();
  const { signal } = stop;
  await using stream = streamOf(kafka, shell.env);
  const inspection = stream.inspection();
  if (dead && topic !== undefined) {
    const letters = await inspection.deadLetters(topic, { signal });
    shell.print(json ? asJson(letters) : lettersText(topic, letters));
    return;
  }
  const reports = await inspection.topics({ ...(topic !== undefined && { topic }), signal });
  if (json) shell.print(asJson(reports));
  else shell.print(topic === undefined ? overview(reports) : partitions(reports));
}

function overview(reports: readonly TopicReport[]): string {
  const rows = reports.map(({ topic, partitions: all }) => [
    printable(topic),
    String(all.length),
    // Those of which nobody knows are left out.
    String(all.reduce((sum, { begin = 0n, end = 0n }) => sum + end - begin, 0n)),
  ]);
  return rows.length === 0 ? 'There are no topics.' : table([['TOPIC', 'PARTITIONS', 'MESSAGES'], ...rows]);
}

function partitions(reports: readonly TopicReport[]): string {
  const rows = reports.flatMap(({ partitions: all }) =>
    all.map(({ partition, leader, begin, end }) => [
      String(partition),
      leader < 0 ? 'none' : String(leader),
      String(begin ?? 'unknown'),
      String(end ?? 'unknown'),
    ]),
  );
  return table([['PARTITION', 'LEADER', 'BEGIN', 'END'], ...rows]);
}

function lettersText(topic: string, letters: readonly DeadLetter[]): string {
  if (letters.length === 0) return `There are no dead letters of ${printable(topic)}.`;
  const rows = letters.map(({ partition, offset, key, reason, error, attempts, group, origin, redelivered }) => [
    `${partition}:${offset}`,
    printable(key ?? '(none)', 40),
    printable(reason, 20),
    String(attempts),
    printable(group, 40),
    `${origin.partition}:${origin.offset}`,
    redelivered ? 'sent again' : '',
    printable(error, 100),
  ]);
  return table([['AT', 'KEY', 'REASON', 'ATTEMPTS', 'GROUP', 'STOOD AT', '', 'ERROR'], ...rows]);
}
