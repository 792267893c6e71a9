import { Command } from 'commander';
import { leaders } from './inspect/leaders.ts';
import { locks } from './inspect/locks.ts';
import { tree } from './inspect/tree.ts';

/** Looks and changes nothing. One file for each thing to look at. */
export function inspect(): Command {
  const command = new Command('inspect')
    .description('shows what is going on in ZooKeeper: who holds, who waits, who leads')
    .addHelpText(
      'after',
      `
Examples:
  $ quorate inspect locks --zookeeper zk1:2181
  $ quorate inspect leaders /taxi/leader --watch
  $ quorate inspect tree /taxi --json`,
    );
  for (const subcommand of [locks(), leaders(), tree()]) command.addCommand(subcommand);
  return command;
}
