import type { NodeData } from '@quorate/zookeeper';

/** One opening of a double barrier: who was let in together. */
export interface Round {
  /** The transaction that opened it. */
  readonly id: bigint;
  /** Undefined when another client opened it, which does not write down whom it counted: then everybody who is there. */
  readonly members: readonly string[] | undefined;
}

/** What is kept in the `ready` node. */
export function roundData(members: readonly string[]): string {
  return JSON.stringify({ members });
}

export function readRound({ data, stat }: NodeData): Round {
  return { id: stat.czxid, members: membersIn(data) };
}

/** Those of the round who are still there, in the order in which they leave. */
export function remainingOf({ members }: Round, there: readonly string[]): string[] {
  return (members ? there.filter((name) => members.includes(name)) : [...there]).sort();
}

/** Undefined for what is not ours: Curator keeps an address there, kazoo nothing. */
function membersIn(data: Buffer): string[] | undefined {
  try {
    const { members } = JSON.parse(data.toString());
    return Array.isArray(members) && members.every((each) => typeof each === 'string') ? members : undefined;
  } catch {
    return undefined;
  }
}
