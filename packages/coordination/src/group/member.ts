import type { NodeData, ZooKeeper } from '@quorate/zookeeper';
import { tokenOf } from '../lease/token.ts';
import { lastSegment } from '../path.ts';

/** Somebody in a group, as the servers know it. */
export interface Member {
  readonly id: string;
  readonly data: Buffer;
  readonly session: bigint;
  /** Since when it is a member, by the servers' clock. */
  readonly since: Date;
  /** A fencing token, as that of a lease: larger for whoever joined later, also under the same id. */
  readonly token: bigint;
}

/** Undefined for a node that belongs to no session: it is something else. */
export function memberOf(zk: ZooKeeper, path: string, { data, stat }: NodeData): Member | undefined {
  if (stat.ephemeralOwner === 0n) return undefined;
  return {
    id: lastSegment(path),
    data,
    session: stat.ephemeralOwner,
    since: new Date(Number(stat.ctime)),
    token: tokenOf(zk, path, stat),
  };
}
