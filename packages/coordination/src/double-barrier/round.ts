/** One opening of a double barrier: who was let in together. */
export interface Round {
  /** The version of the barrier's node since this round was opened. */
  readonly version: number;
  /** Undefined when another client opened it, which does not write down whom it counted: then everybody who is there. */
  readonly members: readonly string[] | undefined;
}

/** What is kept in the `ready` node. */
export function roundData({ version, members }: Round): string {
  return JSON.stringify({ version, members });
}

export function readRound(data: Buffer, version: number): Round {
  return parsed(data) ?? { version, members: undefined };
}

/** Those of the round who are still there, in the order in which they leave. */
export function remainingOf({ members }: Round, there: readonly string[]): string[] {
  return (members ? there.filter((name) => members.includes(name)) : [...there]).sort();
}

/** Undefined for what is not ours: Curator keeps an address there, kazoo nothing. */
function parsed(data: Buffer): Round | undefined {
  try {
    const { version, members } = JSON.parse(data.toString());
    const isRound =
      Number.isInteger(version) && Array.isArray(members) && members.every((each) => typeof each === 'string');
    return isRound ? { version, members } : undefined;
  } catch {
    return undefined;
  }
}
