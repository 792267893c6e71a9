import { isQuorateError } from '@quorate/core';
import type { Stat, ZooKeeper } from '@quorate/zookeeper';

/** A node that was visited. */
export interface Visited {
  readonly path: string;
  readonly names: readonly string[];
  /** Missing: we may not read it. */
  readonly stat?: Stat;
}

export interface WalkOptions {
  readonly signal: AbortSignal;
  /** How deep below the root to go. */
  readonly depth?: number;
  /** The most nodes visited. */
  readonly most: number;
  /** Whether a child is worth a visit. */
  readonly enters?: (name: string) => boolean;
}

export interface Walk {
  /** From the root down, level by level. */
  readonly nodes: readonly Visited[];
  /** False when there was more than was to be visited. */
  readonly complete: boolean;
}

/** So many are asked for at once. */
const atOnce = 100;

/** Visits a node and everything below it. Undefined when there is no such node; what goes meanwhile is left out. */
export async function walk(zk: ZooKeeper, root: string, options: WalkOptions): Promise<Walk | undefined> {
  const { depth = Number.POSITIVE_INFINITY, most, enters = () => true, signal } = options;
  const nodes: Visited[] = [];
  let level = [root];
  for (let deep = 0; level.length > 0 && deep <= depth; deep += 1) {
    const below: string[] = [];
    for (let from = 0; from < level.length; from += atOnce) {
      const left = most - nodes.length;
      if (left <= 0) return { nodes, complete: false };
      const some = level.slice(from, from + Math.min(atOnce, left));
      for (const node of await Promise.all(some.map((path) => visit(zk, path, signal)))) {
        if (!node) continue;
        nodes.push(node);
        // One more than can be visited tells that it was not all.
        const room = Math.max(0, most + 1 - nodes.length - below.length);
        for (const name of node.names.filter(enters).slice(0, room)) below.push(childOf(node.path, name));
      }
    }
    level = below;
  }
  return nodes.length === 0 ? undefined : { nodes, complete: true };
}

async function visit(zk: ZooKeeper, path: string, signal: AbortSignal): Promise<Visited | undefined> {
  try {
    const { names, stat } = await zk.children(path, { signal });
    return { path, names: names.sort(), stat };
  } catch (error) {
    if (isQuorateError(error, 'no-node')) return undefined;
    if (isQuorateError(error, 'no-auth')) return { path, names: [] };
    throw error;
  }
}

export function childOf(parent: string, name: string): string {
  return parent === '/' ? `/${name}` : `${parent}/${name}`;
}
