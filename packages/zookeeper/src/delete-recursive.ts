import { doubtful, isQuorateError } from '@quorate/core';
import { anyVersion } from './arguments.ts';
import { childOf } from './path.ts';
import { childrenOperation } from './protocol/reads.ts';
import { deleteOperation } from './protocol/writes.ts';
import type { SessionLike } from './session/session-like.ts';

export interface RecursiveDelete {
  /** The server's path, and the one that errors name. */
  readonly serverPath: string;
  readonly path: string;
  readonly version: number;
  readonly signal: AbortSignal | undefined;
}

/** Deletes a node and all below it, level by level from the bottom, and again whatever was created meanwhile. */
export async function deleteRecursive(session: SessionLike, what: RecursiveDelete): Promise<void> {
  const { serverPath, path, version, signal } = what;
  let begun = false;
  try {
    for (;;) {
      const levels = await list(session, serverPath, signal);
      begun ||= levels.length > 0;
      for (const level of levels.reverse()) await deleteAll(session, level, signal);
      try {
        return await session.request(deleteOperation(serverPath, version, path), { signal });
      } catch (error) {
        // It was there: somebody has finished what we began, or servers that take away containers once they are empty.
        if (begun && version === anyVersion && isQuorateError(error, 'no-node')) return;
        if (!isQuorateError(error, 'not-empty')) throw error;
      }
    }
  } catch (error) {
    // The server refused one node; others may be gone by then.
    throw begun ? doubtful(error) : error;
  }
}

async function deleteAll(
  session: SessionLike,
  nodes: readonly string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  await Promise.all(
    nodes.map((node) =>
      ignoring(['no-node', 'not-empty'], session.request(deleteOperation(node, -1, node), { signal })),
    ),
  );
}

/** Everything below a node, the nearest level first. */
async function list(session: SessionLike, root: string, signal: AbortSignal | undefined): Promise<string[][]> {
  const levels: string[][] = [];
  let level = [root];
  while (level.length > 0) {
    const below = await Promise.all(
      level.map(async (node) => {
        const children = await ignoring(['no-node'], session.request(childrenOperation(node, false, node), { signal }));
        return children?.names.map((name) => childOf(node, name)) ?? [];
      }),
    );
    level = below.flat();
    if (level.length > 0) levels.push(level);
  }
  return levels;
}

async function ignoring<T>(codes: readonly string[], outcome: Promise<T>): Promise<T | undefined> {
  try {
    return await outcome;
  } catch (error) {
    if (codes.some((code) => isQuorateError(error, code))) return undefined;
    throw error;
  }
}
