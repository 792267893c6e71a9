import type { Reader } from '../jute/reader.ts';

/** What ZooKeeper knows of a node besides its data. */
export interface Stat {
  /** The transaction that created the node: unique in the ensemble's history, so it serves as a fencing token. */
  readonly czxid: bigint;
  /** The transaction that last changed its data. */
  readonly mzxid: bigint;
  /** The transaction that last changed its list of children. */
  readonly pzxid: bigint;
  /** When it was created, in milliseconds since 1970 by a server's clock. */
  readonly ctime: bigint;
  readonly mtime: bigint;
  /** How often the data was changed. */
  readonly version: number;
  /** How often the list of children was changed. */
  readonly cversion: number;
  /** How often the ACL was changed. */
  readonly aversion: number;
  /** The session that owns an ephemeral node; 0n for any other. */
  readonly ephemeralOwner: bigint;
  readonly dataLength: number;
  readonly numChildren: number;
}

export function readStat(reader: Reader): Stat {
  const czxid = reader.long();
  const mzxid = reader.long();
  const ctime = reader.long();
  const mtime = reader.long();
  const version = reader.int();
  const cversion = reader.int();
  const aversion = reader.int();
  const ephemeralOwner = reader.long();
  const dataLength = reader.int();
  const numChildren = reader.int();
  const pzxid = reader.long();
  return { czxid, mzxid, pzxid, ctime, mtime, version, cversion, aversion, ephemeralOwner, dataLength, numChildren };
}
