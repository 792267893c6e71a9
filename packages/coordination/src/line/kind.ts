import type { Stat } from '@quorate/zookeeper';
import { WrongKindError } from '../errors/wrong-kind-error.ts';
import { byArrival, type Contender, contenderOf } from './contender.ts';

/** What stands in line, by the names of its nodes: those of Apache Curator. */
export interface Kind {
  readonly what: string;
  readonly marks: readonly string[];
  /** Whom of those ahead, in order of arrival, one must wait for; undefined when it is one's turn. */
  readonly waitsFor: (mark: string, ahead: readonly Contender[]) => Contender | undefined;
  /** Whether anybody who leaves may make it one's turn, not only the one that is waited for. */
  readonly anyMayLeave?: boolean;
  /** Called with the node that they stand below, each time they are listed, before anybody is let in by the list. */
  readonly seen?: (stat: Stat, signal: AbortSignal | undefined) => Promise<void>;
}

/** The last of those ahead: so that one who leaves wakes one who waits. */
const predecessor = (_: string, ahead: readonly Contender[]): Contender | undefined => ahead.at(-1);

export const read = '__READ__';
export const write = '__WRIT__';

/** Readers wait for the writer before them only, and all at once: when it leaves they all go in. */
const writerOrPredecessor = (mark: string, ahead: readonly Contender[]): Contender | undefined =>
  mark === read ? ahead.findLast((other) => other.mark === write) : ahead.at(-1);

export const lockKind: Kind = { what: 'a lock', marks: ['lock-'], waitsFor: predecessor };
export const electionKind: Kind = { what: 'an election', marks: ['latch-'], waitsFor: predecessor };
export const readWriteKind: Kind = { what: 'a read-write lock', marks: [read, write], waitsFor: writerOrPredecessor };

/** As many as there are permits have their turn at once. */
export function permitKind(permits: () => number): Kind {
  return {
    what: 'permits of a semaphore',
    marks: ['lease-'],
    waitsFor: (_, ahead) => (ahead.length < permits() ? undefined : ahead.at(-1)),
    anyMayLeave: true,
  };
}

/** What is kept at other paths, told by the names of children. */
const others = [lockKind, electionKind, readWriteKind, permitKind(() => 1)];

/** Who stands in line, in order of arrival; an error when something else is kept at the path. Other children are none of our business. */
export function contendersOf(
  path: string,
  kind: Kind,
  { names, stat }: { readonly names: readonly string[]; readonly stat: Stat },
): Contender[] {
  if (names.includes('locks') && names.includes('leases')) throw new WrongKindError(path, kind.what, 'a semaphore');
  if (stat.dataLength > 0) throw new WrongKindError(path, kind.what, `data of its own (${stat.dataLength} bytes)`);
  const contenders = names.flatMap((name) => {
    const contender = contenderOf(name, kind.marks);
    if (contender) return [contender];
    const other = others.find(({ marks }) => contenderOf(name, marks) !== undefined);
    if (other) throw new WrongKindError(path, kind.what, `${other.what} (${name})`);
    return [];
  });
  return contenders.sort(byArrival);
}
