import { InvalidArgumentError } from '@quorate/core';
import { InvalidArgumentError as BadUse, type Command } from 'commander';
import type { Shell } from '../shell.ts';

/** What every inspection can be told. */
export interface InspectFlags {
  readonly zookeeper?: string;
  readonly json?: true;
  readonly watch?: true;
  readonly tokenEpoch: number;
  readonly limit: number;
}

export function addInspectOptions(command: Command): Command {
  return command
    .argument('[path]', 'the path to look at', '/')
    .option('--zookeeper <address>', 'such as zk1:2181,zk2:2181 (default: QUORATE_ZOOKEEPER)')
    .option('--limit <lines>', 'show at most this many lines', upTo(100_000), 1_000)
    .option('--token-epoch <number>', 'the tokenEpoch of the services, so that the tokens shown are theirs', Number, 0)
    .option('--watch', 'show it again at every change, until Ctrl-C')
    .option('--json', 'print JSON; with --watch one line for each change');
}

export function upTo(most: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (!(Number.isInteger(number) && number >= 1 && number <= most))
      throw new BadUse(`Expected a whole number from 1 to ${most}.`);
    return number;
  };
}

/** Where the servers are, by the option or the environment. */
export function addressOf({ zookeeper }: InspectFlags, env: Shell['env']): string {
  const address = zookeeper ?? env.QUORATE_ZOOKEEPER;
  if (address) return address;
  throw new InvalidArgumentError(
    'zookeeper',
    'an address: --zookeeper zk1:2181, or QUORATE_ZOOKEEPER, which eval "$(quorate status --export)" sets',
  );
}
