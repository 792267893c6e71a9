import { inLine, type LineKind, lineKindOf, type Participant } from '@quorate/coordination';
import type { ZooKeeper } from '@quorate/zookeeper';
import { walk } from './walk.ts';

/** A path where somebody stands in line. */
export interface LineSeen {
  readonly path: string;
  readonly kind: LineKind;
  readonly participants: readonly Participant[];
  /** Why it cannot be shown. */
  readonly error?: string;
  /** Who stands behind those. */
  readonly more: number;
}

export interface LinesSeen {
  readonly path: string;
  readonly lines: readonly LineSeen[];
  /** Lines of kinds that were asked for, beyond the limit. */
  readonly unread: number;
  /** False when there were more nodes than were visited. */
  readonly complete: boolean;
}

/** The most nodes visited in search of lines. */
export const mostVisited = 10_000;

/** Every line of some kinds at and below a path, up to so many participants in all. */
export async function readLines(
  zk: ZooKeeper,
  path: string,
  { kinds, most, signal }: { readonly kinds: readonly LineKind[]; readonly most: number; readonly signal: AbortSignal },
): Promise<LinesSeen | undefined> {
  // Who stands in line has nothing below.
  const enters = (name: string): boolean => lineKindOf([name]) === undefined;
  const walked = await walk(zk, path, { most: mostVisited, enters, signal });
  if (!walked) return undefined;
  const found = walked.nodes.flatMap(({ path, names }) => {
    const kind = lineKindOf(names);
    return kind && kinds.includes(kind) ? [{ path, kind, count: names.filter((name) => !enters(name)).length }] : [];
  });
  found.sort((a, b) => (a.path < b.path ? -1 : 1));
  const lines: LineSeen[] = [];
  let left = most;
  for (const { path, kind, count } of found) {
    if (left <= 0) break;
    const line = await readLine(zk, path, kind, count, left, signal);
    if (line.participants.length > 0 || line.error !== undefined) lines.push(line);
    left -= Math.max(1, line.participants.length);
  }
  return { path, lines, unread: left <= 0 ? found.length - lines.length : 0, complete: walked.complete };
}

async function readLine(
  zk: ZooKeeper,
  path: string,
  kind: LineKind,
  count: number,
  most: number,
  signal: AbortSignal,
): Promise<LineSeen> {
  try {
    const participants = await inLine(zk, path, kind, { most, signal });
    return { path, kind, participants, more: most < count ? count - most : 0 };
  } catch (error) {
    signal.throwIfAborted();
    if (zk.lost.aborted) throw error;
    return { path, kind, participants: [], more: 0, error: (error as Error).message };
  }
}
