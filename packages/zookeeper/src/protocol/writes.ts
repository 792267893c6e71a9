import type { Reader } from '../jute/reader.ts';
import type { Writer } from '../jute/writer.ts';
import { type Acl, writeAcl } from './acl.ts';
import { op } from './op-codes.ts';
import type { Operation } from './operation.ts';
import { type NodeData, readNodeData } from './reads.ts';
import { readStat, type Stat } from './stat.ts';

export interface Created {
  readonly path: string;
  readonly stat: Stat;
}

export interface CreateArguments {
  readonly path: string;
  readonly data: Uint8Array;
  readonly acl: readonly Acl[];
  readonly flags: number;
  readonly ttl: number | undefined;
}

const containerFlag = 4;

export function createCode({ flags, ttl }: CreateArguments): number {
  if (ttl !== undefined) return op.createTtl;
  return flags === containerFlag ? op.createContainer : op.create;
}

export function writeCreate(writer: Writer, { path, data, acl, flags, ttl }: CreateArguments): void {
  writer.string(path).bytes(data).list(acl, writeAcl).int(flags);
  if (ttl !== undefined) writer.long(BigInt(ttl));
}

export function readCreated(reader: Reader): Created {
  const path = reader.string();
  return { path, stat: readStat(reader) };
}

export function createOperation(create: CreateArguments, path: string): Operation<Created> {
  return {
    operation: 'create',
    path,
    code: createCode(create),
    writes: true,
    encode: (writer) => writeCreate(writer, create),
    decode: readCreated,
  };
}

export function setOperation(serverPath: string, data: Uint8Array, version: number, path: string): Operation<Stat> {
  return {
    operation: 'set',
    path,
    code: op.set,
    writes: true,
    encode: (writer) => writer.string(serverPath).bytes(data).int(version),
    decode: readStat,
  };
}

export function deleteOperation(serverPath: string, version: number, path: string): Operation<void> {
  return {
    operation: 'delete',
    path,
    code: op.delete,
    writes: true,
    encode: (writer) => writer.string(serverPath).int(version),
    decode: () => undefined,
  };
}

export function setAclOperation(
  serverPath: string,
  acl: readonly Acl[],
  version: number,
  path: string,
): Operation<Stat> {
  return {
    operation: 'setAcl',
    path,
    code: op.setAcl,
    writes: true,
    encode: (writer) => writer.string(serverPath).list(acl, writeAcl).int(version),
    decode: readStat,
  };
}

/** Lists of members, joined by commas. The server refuses an empty one: what is not wanted must be absent. */
export interface Reconfiguration {
  readonly joining: string | undefined;
  readonly leaving: string | undefined;
  readonly members: string | undefined;
  readonly fromConfig: bigint;
}

export function reconfigOperation(change: Reconfiguration): Operation<NodeData> {
  return {
    operation: 'reconfig',
    code: op.reconfig,
    writes: true,
    encode: (writer) => {
      for (const list of [change.joining, change.leaving, change.members]) {
        if (list === undefined) writer.absent();
        else writer.string(list);
      }
      writer.long(change.fromConfig);
    },
    decode: readNodeData,
  };
}
