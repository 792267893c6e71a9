import { InvalidArgumentError } from '@quorate/core';
import { Command } from 'commander';
import { interruptible } from '../interrupt.ts';
import { addKafkaOptions, type KafkaFlags, kafkaHelp, streamOf } from '../kafka-options.ts';
import type { Shell } from '../shell.ts';

interface Flags extends KafkaFlags {
  readonly json?: true;
}

/** Sets right what went wrong on the way. */
export function stream(shell: Shell): Command {
  return new Command('stream').description('works on topics of Kafka').addCommand(replay(shell));
}

function replay(shell: Shell): Command {
  return addKafkaOptions(new Command('replay'))
    .description('sends dead letters to their topic again, after a mend: each once, also when it is called again')
    .argument('<topic>', 'the topic with the dead letters, such as taxi.rides.dead')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `${kafkaHelp}

Examples:
  $ quorate inspect topics taxi.rides --dead     what there is, and why
  $ quorate stream replay taxi.rides.dead`,
    )
    .action((topic: string, flags: Flags) => send(shell, topic, flags));
}

async function send(shell: Shell, dead: string, { json, ...kafka }: Flags): Promise<void> {
  const [, topic] = /^(.+)\.dead$/.exec(dead) ?? [];
  if (topic === undefined)
    throw new InvalidArgumentError('topic', 'a topic of dead letters: its name ends in ".dead"', dead);
  using stop = interruptible();
  await using opened = streamOf(kafka, shell.env);
  const sent = await opened.inspection().redeliver(topic, { signal: stop.signal });
  if (json) shell.print(JSON.stringify({ topic, sent }));
  else
    shell.print(sent === 1 ? `1 message was sent to ${topic} again.` : `${sent} messages were sent to ${topic} again.`);
}
