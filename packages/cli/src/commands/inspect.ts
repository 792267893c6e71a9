import { Command } from 'commander';
import type { Shell } from '../shell.ts';
import { groups } from './inspect/groups.ts';
import { leaders } from './inspect/leaders.ts';
import { locks } from './inspect/locks.ts';
import { services } from './inspect/services.ts';
import { topics } from './inspect/topics.ts';
import { tree } from './inspect/tree.ts';
import { workflows } from './inspect/workflows.ts';

/** Looks and changes nothing. One file for each thing to look at. */
export function inspect(shell: Shell): Command {
  const command = new Command('inspect')
    .description(
      'shows locks, leaders and nodes in ZooKeeper, services in Consul, topics and groups in Kafka, workflows in Temporal; changes nothing',
    )
    .addHelpText(
      'after',
      `
Examples:
  $ quorate inspect locks --zookeeper zk1:2181
  $ quorate inspect leaders /taxi/leader --watch
  $ quorate inspect tree /taxi --json
  $ quorate inspect services
  $ quorate inspect groups
  $ quorate inspect workflows`,
    );
  for (const subcommand of [locks, leaders, tree, services, topics, groups, workflows])
    command.addCommand(subcommand(shell));
  return command;
}
