import type { Stat, ZooKeeper } from '@quorate/zookeeper';
import { Command } from 'commander';
import { addInspectOptions, type InspectFlags, upTo } from '../../inspect/flags.ts';
import { inspect } from '../../inspect/inspect.ts';
import { sessionText } from '../../inspect/line-report.ts';
import { printable } from '../../inspect/printable.ts';
import { childOf, type Visited, type Walk, walk } from '../../inspect/walk.ts';
import type { Shell } from '../../shell.ts';
import { table } from '../../table.ts';

interface Flags extends InspectFlags {
  readonly depth?: number;
}

export function tree(shell: Shell): Command {
  return addInspectOptions(new Command('tree'))
    .description('shows the nodes at a path and below: size, version, last change and owner')
    .option('--depth <levels>', 'how many levels below the path', upTo(1_000))
    .addHelpText(
      'after',
      `
Examples:
  $ quorate inspect tree
  $ quorate inspect tree /taxi --depth 2 --watch
  $ quorate inspect tree --json | jq '[.nodes[].bytes] | add'

OWNER is the session of an ephemeral node, which is deleted with its session. Other nodes have none.`,
    )
    .action((path: string, flags: Flags) => show(shell, path, flags));
}

async function show(shell: Shell, path: string, flags: Flags): Promise<void> {
  const { depth, limit: most } = flags;
  const read = (zk: ZooKeeper, path: string, signal: AbortSignal): ReturnType<typeof walk> =>
    walk(zk, path, { most, signal, ...(depth !== undefined && { depth }) });
  await inspect<Walk>({ read, text, json }, path, flags, shell);
}

function text({ nodes, complete }: Walk): string {
  const visited = new Map(nodes.map((node) => [node.path, node]));
  const rows: string[][] = [];
  const add = (node: Visited, label: string, deep: number): void => {
    rows.push([`${'  '.repeat(deep)}${printable(label)}`, ...cells(node)]);
    const below = node.names.flatMap((name) => visited.get(childOf(node.path, name)) ?? []);
    for (const child of below) add(child, child.path.slice(child.path.lastIndexOf('/') + 1), deep + 1);
  };
  const [root] = nodes;
  if (root) add(root, root.path, 0);
  const omitted = complete ? [] : [`… ${nodes.length} nodes only: --limit shows more, or give a path further down`];
  return [table([['NODE', 'DATA', 'CHILDREN', 'VERSION', 'CHANGED', 'OWNER'], ...rows]), ...omitted].join('\n');
}

function cells({ stat, names }: Visited): string[] {
  if (!stat) return ['no access', '', '', '', ''];
  const children = names.length > 0 ? String(names.length) : '';
  return [`${stat.dataLength} B`, children, String(stat.version), timeText(stat.mtime) ?? '', ownerOf(stat) ?? ''];
}

function json({ nodes, complete }: Walk): object {
  const plain = nodes.map(({ path, names, stat }) =>
    stat
      ? {
          path,
          bytes: stat.dataLength,
          children: names.length,
          version: stat.version,
          created: timeText(stat.ctime),
          changed: timeText(stat.mtime),
          owner: ownerOf(stat) ?? null,
        }
      : { path, denied: true },
  );
  return { nodes: plain, complete };
}

function ownerOf({ ephemeralOwner }: Stat): string | undefined {
  return ephemeralOwner === 0n ? undefined : sessionText(ephemeralOwner);
}

/** The nodes that were there from the beginning have none. */
function timeText(time: bigint): string | null {
  return time === 0n ? null : new Date(Number(time)).toISOString();
}
