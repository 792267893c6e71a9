import { InvalidArgumentError as BadUse } from '@quorate/core';
import { faults, type LinkFaults } from '@quorate/testbed';
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { askUp } from '../bed-control.ts';
import { bedName } from '../bed-name.ts';
import { faultHelp } from '../fault-help.ts';
import { type FaultOrder, type FaultReport, faultKinds } from '../fault-order.ts';
import type { Shell } from '../shell.ts';
import { durationFlag } from './duration-flag.ts';

/** What goes on until it ends. */
const lasting = Object.keys(faults);

interface Flags {
  readonly name: string;
  readonly for?: number;
  readonly set?: LinkFaults;
  readonly json?: true;
}

export function fault(shell: Shell): Command {
  return new Command('fault')
    .description('breaks servers that run in the background, or the network between them, and repairs them')
    .addArgument(new Argument('<kind>', 'what to do: see the list below').choices(faultKinds))
    .argument(
      '[target]',
      'a server, a link (client-a~redis-1), or one side of a partition (zookeeper-1,client-a)',
      names,
    )
    .argument('[other]', 'the other side of a partition', names)
    .addOption(bedName())
    .addOption(
      new Option('--for <time>', 'end the fault after this time: seconds, or 500ms, 5m, …').argParser(durationFlag(1)),
    )
    .addOption(
      new Option('--set <name=value>', 'a setting of the kind "link"; may be given several times').argParser(setting),
    )
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
${faultHelp}
Examples:
  $ quorate fault kill zookeeper-leader
  $ quorate fault restart zookeeper-2
  $ quorate fault pause redis-1 --for 5
  $ quorate fault partition zookeeper-1 zookeeper-2,zookeeper-3
  $ quorate fault link me~redis-1 --set latencyMs=200 --set jitterMs=50
  $ quorate fault heal

Settings for --set: latencyMs, jitterMs, bytesPerSecond, drip, blackHole, halfOpen, cut, refuse.
full-disk needs servers with disks of their own: quorate up --zookeeper 3 --disk 64.

Exit status: 0 done, 1 nothing is up or it failed, 2 bad use.`,
    )
    .action((kind: string, target: string[] | undefined, other: string[] | undefined, flags: Flags) =>
      order(shell, kind, target, other, flags),
    );
}

async function order(
  shell: Shell,
  kind: string,
  target: readonly string[] = [],
  other: readonly string[] = [],
  { name, for: lasts, set, json }: Flags,
): Promise<void> {
  const order: FaultOrder = {
    kind,
    target,
    from: other,
    ...(lasts !== undefined && { lasts }),
    ...(set && { settings: set }),
  };
  checkOrder(order);
  const report = (await askUp(name, { ask: 'fault', order })) as FaultReport;
  shell.print(json ? JSON.stringify(report) : text(report, lasts));
}

/** Refuses what would be passed over in silence. */
function checkOrder({ kind, target, from, lasts, settings }: FaultOrder): void {
  const [first, second] = [target.join(','), from.join(',')];
  if (kind !== 'partition' && target.length > 1) throw new BadUse('target', 'one name', first);
  if (kind !== 'partition' && from.length > 0)
    throw new BadUse('other', 'a second target only for a partition', second);
  if (settings && kind !== 'link')
    throw new BadUse('--set', `the kind "link": the settings of "${kind}" are fixed`, settings);
  if (lasts !== undefined && !lasting.includes(kind)) throw new BadUse('--for', `one of ${lasting.join(', ')}`, kind);
}

function text({ kind, target, address, faults, servers }: FaultReport, lasts?: number): string {
  const down = servers.filter(({ state }) => state !== 'running').map(({ name, state }) => `${name} is ${state}`);
  const what = [kind, ...target].join(' ');
  return [
    lasts === undefined ? `Done: ${what}.` : `Done: ${what}, for ${lasts / 1_000} s.`,
    ...(address === undefined ? [] : [`${target[0]?.replace('~', ' reaches ')} at ${address}.`]),
    ...(faults ? [`The link: ${Object.keys(faults).length === 0 ? 'no faults' : JSON.stringify(faults)}.`] : []),
    ...(down.length === 0 ? [] : [`${down.join(', ')}.`]),
  ].join('\n');
}

function names(text: string): string[] {
  return text.split(',');
}

function setting(text: string, before: LinkFaults = {}): LinkFaults {
  const [, name, value = ''] = /^(\w+)=(.+)$/.exec(text) ?? [];
  if (name === undefined) throw new InvalidArgumentError('Expected name=value, such as latencyMs=200.');
  return { ...before, [name]: parsed(value) };
}

/** As JSON, so that numbers and objects can be said; what is no JSON is a name. */
function parsed(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}
