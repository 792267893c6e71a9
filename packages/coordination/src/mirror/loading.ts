import { isQuorateError } from '@quorate/core';
import type { ReadRequest, Stat, ZooKeeper } from '@quorate/zookeeper';
import { childOf } from '../path.ts';
import { readAll } from '../watched/read-all.ts';
import type { Reading } from '../watched/touched.ts';

export interface NodeRead {
  readonly data: Buffer;
  readonly stat: Stat;
}

export interface Listener {
  /** A node as it is, or undefined where there is none. Comes for a parent before it comes for its children. */
  readonly node: (path: string, read: NodeRead | undefined) => void;
  /** Everything was read, and nothing else is there. */
  readonly all: (paths: ReadonlySet<string>) => void;
  /** Called with how many nodes are about to be read, so that too many need not be. */
  readonly expect: (count: number) => void;
}

/** Reads what has changed in a subtree, or all of it. */
export async function readSubtree(
  zk: ZooKeeper,
  root: string,
  reading: Reading,
  { node, all, expect }: Listener,
  signal: AbortSignal,
): Promise<void> {
  if (reading !== 'everything') {
    const paths = [...reading];
    await readAll(
      zk,
      paths.map((path) => ({ get: path })),
      {
        signal,
        each: (index, found) => node(paths[index] as string, found && 'data' in found ? found : undefined),
      },
    );
    return;
  }
  // The member we have come to may not have heard yet of what others have been told.
  await zk.sync(root, { signal }).catch((error) => {
    if (!isQuorateError(error, 'no-node')) throw error;
  });
  const seen = new Set<string>();
  for (let level = [root]; level.length > 0; ) level = await readLevel(zk, level, { node, expect, seen }, signal);
  all(seen);
}

/** Returns the paths of the level below. */
async function readLevel(
  zk: ZooKeeper,
  level: readonly string[],
  { node, expect, seen }: Pick<Listener, 'node' | 'expect'> & { readonly seen: Set<string> },
  signal: AbortSignal,
): Promise<string[]> {
  const below: string[] = [];
  const reads = level.flatMap((path): ReadRequest[] => [{ get: path }, { children: path }]);
  await readAll(zk, reads, {
    signal,
    each: (index, found) => {
      const path = level[index >> 1] as string;
      if (!found) return;
      if ('data' in found) {
        seen.add(path);
        node(path, found);
        return;
      }
      for (const name of found.names) below.push(childOf(path, name));
      expect(seen.size + below.length);
    },
  });
  return below;
}
