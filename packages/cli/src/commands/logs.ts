import { InvalidArgumentError, sleep } from '@quorate/core';
import { InvalidArgumentError as BadUse, Command } from 'commander';
import { askUp } from '../bed-control.ts';
import { bedName } from '../bed-name.ts';
import { Interrupted, interruptible } from '../interrupt.ts';
import { LogFile } from '../log-file.ts';
import type { Shell } from '../shell.ts';

interface Flags {
  readonly name: string;
  readonly follow?: true;
  readonly lines: number;
  readonly json?: true;
}

/** How often a log that is followed is looked at, in milliseconds. */
const lookEvery = 200;

export function logs(shell: Shell): Command {
  return new Command('logs')
    .description('prints what the servers in the background have logged')
    .argument('[servers...]', 'only these (default: all)')
    .addOption(bedName())
    .option('-f, --follow', 'keep printing new lines, across restarts, until Ctrl-C or quorate down')
    .option('-n, --lines <number>', 'how many of the last lines of each server', lines, 100)
    .option('--json', 'print an object for each line: {"server":"redis-1","line":"..."}')
    .addHelpText(
      'after',
      `
Examples:
  $ quorate logs
  $ quorate logs zookeeper-1 -n 1000
  $ quorate logs -f kafka-1 kafka-2
  $ quorate logs -f --json | jq -r 'select(.server == "redis-1") | .line'

Exit status: 0 success, 1 nothing is up, 2 bad use.`,
    )
    .action((servers: string[], flags: Flags) => show(shell, servers, flags));
}

async function show(shell: Shell, wanted: readonly string[], { name, follow, lines, json }: Flags): Promise<void> {
  using stop = interruptible();
  const found = (await askUp(name, { ask: 'logs' })) as { name: string; logFile: string }[];
  const servers = found.map((server) => server.name);
  for (const server of wanted)
    if (!servers.includes(server)) throw new InvalidArgumentError('server', `one of ${servers.join(', ')}`, server);
  const shown = wanted.length === 0 ? found : found.filter((server) => wanted.includes(server.name));
  const width = shown.length === 1 ? 0 : Math.max(...shown.map((server) => server.name.length));
  const print = (server: string, line: string): void => {
    if (json) shell.print(JSON.stringify({ server, line }));
    else shell.print(width === 0 ? line : `${server.padEnd(width)}  ${line}`);
  };
  const files = shown.map((server) => ({ server: server.name, file: new LogFile(server.logFile) }));
  for (const { server, file } of files) for (const line of await file.last(lines)) print(server, line);
  if (!follow) return;
  try {
    // They are gone when the bed is.
    while (!shell.isReaderGone && files.some(({ file }) => file.exists)) {
      await sleep(lookEvery, { signal: stop.signal });
      for (const { server, file } of files) for (const line of await file.more()) print(server, line);
    }
  } catch (error) {
    // Ctrl-C is how it ends.
    if (!(error instanceof Interrupted)) throw error;
  }
}

function lines(text: string): number {
  const number = Number(text);
  if (!(text.trim() !== '' && Number.isInteger(number) && number >= 0 && number <= 1_000_000))
    throw new BadUse('Expected a whole number from 0 to 1000000.');
  return number;
}
