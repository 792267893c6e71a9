import { InvalidArgumentError, isQuorateError } from '@quorate/core';
import { checkPath, type ZooKeeper } from '@quorate/zookeeper';
import { contenderOf } from './line/contender.ts';
import { electionKind, type Kind, lockKind, permitKind, readWriteKind } from './line/kind.ts';
import { Line } from './line/line.ts';
import { type Participant, participants } from './line/participant.ts';

/** What can be stood in line for. */
export type LineKind = 'lock' | 'read-write lock' | 'permits' | 'election';

const kinds: Readonly<Record<LineKind, Kind>> = {
  lock: lockKind,
  'read-write lock': readWriteKind,
  // How many there are is not kept in the line: here everybody has one, though the last may still wait for it.
  permits: permitKind(() => Number.POSITIVE_INFINITY),
  election: electionKind,
};

/** What the names of a path's children say is stood in line for there; undefined when it is none of these. */
export function lineKindOf(names: readonly string[]): LineKind | undefined {
  for (const name of names) {
    for (const [kind, { marks }] of Object.entries(kinds)) if (contenderOf(name, marks)) return kind as LineKind;
  }
  return undefined;
}

/**
 * Who stands in line at a path, whoever put them there: for those who look on. The first `most` in order of arrival;
 * none when there is no such path.
 */
export async function inLine(
  zk: ZooKeeper,
  path: string,
  kind: LineKind,
  { most, signal }: { readonly most?: number | undefined; readonly signal?: AbortSignal | undefined } = {},
): Promise<Participant[]> {
  checkPath(path);
  if (!Object.hasOwn(kinds, kind))
    throw new InvalidArgumentError('kind', '"lock", "read-write lock", "permits" or "election"', kind);
  if (most !== undefined && !(most === Number.POSITIVE_INFINITY || (Number.isInteger(most) && most >= 0))) {
    throw new InvalidArgumentError('most', 'a whole number of at least 0', most);
  }
  try {
    return await participants(new Line(zk, path, kinds[kind]), signal, most);
  } catch (error) {
    if (isQuorateError(error, 'no-node')) return [];
    throw error;
  }
}
