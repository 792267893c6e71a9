import type { Acl, Stat } from '@quorate/zookeeper';

export interface Node {
  data: Buffer;
  acl: readonly Acl[];
  readonly czxid: bigint;
  mzxid: bigint;
  pzxid: bigint;
  readonly ctime: bigint;
  mtime: bigint;
  version: number;
  aversion: number;
  /** How many children were ever created below it: the next number of a sequential one. */
  born: number;
  /** The session that an ephemeral node goes with; 0n for any other. */
  readonly owner: bigint;
  readonly container: boolean;
  readonly ttl: number | undefined;
  readonly children: Set<string>;
}

export function statOf(node: Node): Stat {
  const { czxid, mzxid, pzxid, ctime, mtime, version, aversion, born, owner, data, children } = node;
  return {
    czxid,
    mzxid,
    pzxid,
    ctime,
    mtime,
    version,
    // Each child that is gone changed the list twice.
    cversion: (born * 2 - children.size) | 0,
    aversion,
    ephemeralOwner: owner,
    dataLength: data.length,
    numChildren: children.size,
  };
}
