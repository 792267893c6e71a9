import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { QuorateError } from '@quorate/core';
import type { Progress } from '@quorate/testbed';
import { Command } from 'commander';
import { commandMark } from '../../parent.js';
import { checkTemporaryFolder } from '../bed-control.ts';
import type { BedDescription } from '../bed-description.ts';
import { bedRows } from '../bed-description.ts';
import { bedName } from '../bed-name.ts';
import { interruptible } from '../interrupt.ts';
import { progressDisplay } from '../progress-display.ts';
import { addServerOptions, bedOptions, type ServerFlags } from '../server-options.ts';
import type { Shell } from '../shell.ts';
import { table } from '../table.ts';

/** What the keeper tells the process that started it. */
export type KeeperNews =
  | { progress: Progress }
  | { ready: BedDescription }
  | { failed: { message: string; code: string } };

interface Flags extends ServerFlags {
  readonly name: string;
  readonly json?: true;
}

export function up(shell: Shell): Command {
  return addServerOptions(new Command('up'))
    .description('starts servers in the background; quorate down stops them')
    .addOption(bedName())
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Examples:
  $ quorate up --zookeeper 3 --redis 1
  $ quorate up --name lab --kafka 1 && quorate status --name lab
  $ eval "$(quorate status --export)"     set their addresses in this shell`,
    )
    .action((flags: Flags) => bringUp(shell, flags));
}

async function bringUp(shell: Shell, { name, json, ...servers }: Flags): Promise<void> {
  bedOptions(servers);
  checkTemporaryFolder();
  const description = await startKeeper(shell, name, servers);
  shell.print(
    json
      ? JSON.stringify(description, null, 2)
      : `${table(bedRows(description))}\n\nquorate down${name === 'default' ? '' : ` --name ${name}`} stops them.`,
  );
}

async function startKeeper(shell: Shell, name: string, servers: ServerFlags): Promise<BedDescription> {
  using stop = interruptible();
  using display = progressDisplay(shell.stderr);
  const program = fileURLToPath(
    new URL(`../quorate${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
  );
  // A bed in the background stays when the command of `quorate run` that has started it ends.
  const { [commandMark]: _, ...env } = process.env;
  const keeper = spawn(process.execPath, [...process.execArgv, program, 'keep', name, JSON.stringify(servers)], {
    detached: true,
    env,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  try {
    return await new Promise<BedDescription>((resolve, reject) => {
      keeper.on('message', (news: KeeperNews) => {
        if ('progress' in news) display.onProgress(news.progress);
        else if ('ready' in news) resolve(news.ready);
        else reject(new QuorateError(news.failed.message, { code: news.failed.code }));
      });
      keeper.on('exit', (status) =>
        reject(new QuorateError(`the process that holds the servers ended with ${status}`, { code: 'server-failed' })),
      );
      stop.signal.addEventListener('abort', () => reject(stop.signal.reason));
    });
  } finally {
    // While it starts, losing this connection tells it to give up.
    if (keeper.connected) keeper.disconnect();
    keeper.unref();
  }
}
