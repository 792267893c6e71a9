import { InvalidArgumentError, sleep } from '@quorate/core';
import { InvalidArgumentError as BadUse, Command } from 'commander';
import { askUp } from '../bed-control.ts';
import { bedName } from '../bed-name.ts';
import { readRecord } from '../bed-record.ts';
import { printable, printableJson } from '../inspect/printable.ts';
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

/** How long a line that is not finished must stand still before it is printed, in milliseconds. */
const stillFor = 1_000;

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
  const since = readRecord(name)?.since;
  const found = (await askUp(name, { ask: 'logs' })) as { name: string; logFile: string }[];
  const servers = found.map((server) => server.name);
  for (const server of wanted)
    if (!servers.includes(server)) throw new InvalidArgumentError('server', `one of ${servers.join(', ')}`, server);
  const chosen = wanted.length === 0 ? found : found.filter((server) => wanted.includes(server.name));
  const width = chosen.length === 1 ? 0 : Math.max(...chosen.map((server) => server.name.length));
  const print = (server: string, line: string): void => {
    if (json) shell.print(printableJson({ server, line }));
    else shell.print(width === 0 ? shown(line) : `${server.padEnd(width)}  ${shown(line)}`);
  };
  const files = chosen.map((server) => ({ server: server.name, file: new LogFile(server.logFile) }));
  for (const { server, file } of files) {
    for (const line of await file.last(lines)) print(server, line);
    if (!follow && lines > 0) for (const line of file.unfinished()) print(server, line);
  }
  if (!follow) return;
  // Files that somebody has removed come back when their servers are restarted.
  const isUp = (): boolean => files.some(({ file }) => file.exists) || readRecord(name)?.since === since;
  try {
    while (!shell.isReaderGone && isUp()) {
      await sleep(lookEvery, { signal: stop.signal });
      for (const { server, file } of files)
        for (const line of [...(await file.more()), ...file.unfinished(stillFor)]) print(server, line);
    }
  } catch (error) {
    // Ctrl-C is how it ends.
    if (!(error instanceof Interrupted)) throw error;
  }
  for (const { server, file } of files) for (const line of file.unfinished()) print(server, line);
}

/** Anybody may have made a server log it. A tab does no harm. */
function shown(line: string): string {
  return line
    .split('\t')
    .map((part) => printable(part, Number.POSITIVE_INFINITY))
    .join('\t');
}

function lines(text: string): number {
  const number = Number(text);
  if (!(text.trim() !== '' && Number.isInteger(number) && number >= 0 && number <= 1_000_000))
    throw new BadUse('Expected a whole number from 0 to 1000000.');
  return number;
}
