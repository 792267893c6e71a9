import type { NodeData } from '@quorate/zookeeper';

/** Somebody in a group, as the servers know it. */
export interface Member {
  readonly id: string;
  readonly data: Buffer;
  readonly session: bigint;
  /** Since when it is a member, by the servers' clock. */
  readonly since: Date;
  /** The transaction that made it a member: larger for whoever joined later, also under the same id. */
  readonly token: bigint;
}

/** Undefined for a node that belongs to no session: it is something else. */
export function memberOf(id: string, { data, stat }: NodeData): Member | undefined {
  if (stat.ephemeralOwner === 0n) return undefined;
  return { id, data, session: stat.ephemeralOwner, since: new Date(Number(stat.ctime)), token: stat.czxid };
}
