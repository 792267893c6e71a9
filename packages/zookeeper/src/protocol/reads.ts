import type { Reader } from '../jute/reader.ts';
import { type Acl, readAcl, smallestAcl } from './acl.ts';
import { op } from './op-codes.ts';
import type { Operation } from './operation.ts';
import { readStat, type Stat } from './stat.ts';

export interface NodeData {
  readonly data: Buffer;
  readonly stat: Stat;
}

export interface Children {
  /** In no order the servers promise. */
  readonly names: string[];
  readonly stat: Stat;
}

/** How this session has authenticated, as the server sees it. */
export interface Identity {
  readonly scheme: string;
  readonly id: string;
}

export function readNodeData(reader: Reader): NodeData {
  // A copy: a view would keep the whole chunk that it came in alive for as long as the data.
  const data = Buffer.from(reader.bytes());
  return { data, stat: readStat(reader) };
}

export function getOperation(serverPath: string, watch: boolean, path: string): Operation<NodeData> {
  return {
    operation: 'get',
    path,
    code: op.get,
    writes: false,
    encode: (writer) => writer.string(serverPath).bool(watch),
    decode: readNodeData,
  };
}

export function existsOperation(serverPath: string, watch: boolean, path: string): Operation<Stat> {
  return {
    operation: 'exists',
    path,
    code: op.exists,
    writes: false,
    encode: (writer) => writer.string(serverPath).bool(watch),
    decode: readStat,
  };
}

export function childrenOperation(serverPath: string, watch: boolean, path: string): Operation<Children> {
  return {
    operation: 'children',
    path,
    code: op.children,
    writes: false,
    encode: (writer) => writer.string(serverPath).bool(watch),
    decode: (reader) => {
      const names = reader.list(4, (r) => r.string());
      return { names, stat: readStat(reader) };
    },
  };
}

/** Changes nothing, so it may be sent again like a read. */
export function syncOperation(serverPath: string, path: string): Operation<void> {
  return {
    operation: 'sync',
    path,
    code: op.sync,
    writes: false,
    encode: (writer) => writer.string(serverPath),
    decode: () => undefined,
  };
}

export function aclOperation(serverPath: string, path: string): Operation<{ acl: Acl[]; stat: Stat }> {
  return {
    operation: 'acl',
    path,
    code: op.getAcl,
    writes: false,
    encode: (writer) => writer.string(serverPath),
    decode: (reader) => {
      const acl = reader.list(smallestAcl, readAcl);
      return { acl, stat: readStat(reader) };
    },
  };
}

export function ephemeralsOperation(prefix: string, path: string): Operation<string[]> {
  return {
    operation: 'ephemerals',
    path,
    code: op.ephemerals,
    writes: false,
    encode: (writer) => writer.string(prefix),
    decode: (reader) => reader.list(4, (r) => r.string()),
  };
}

export function countDescendantsOperation(serverPath: string, path: string): Operation<number> {
  return {
    operation: 'countDescendants',
    path,
    code: op.countDescendants,
    writes: false,
    encode: (writer) => writer.string(serverPath),
    decode: (reader) => reader.int(),
  };
}

export function whoAmIOperation(): Operation<Identity[]> {
  return {
    operation: 'whoAmI',
    code: op.whoAmI,
    writes: false,
    encode: () => undefined,
    decode: (reader) =>
      reader.list(8, (r) => {
        const scheme = r.string();
        return { scheme, id: r.string() };
      }),
  };
}

export type WatchMode = 'persistent' | 'recursive';

export function addWatchOperation(serverPath: string, mode: WatchMode, path: string): Operation<void> {
  return {
    operation: 'watch',
    path,
    code: op.addWatch,
    writes: false,
    encode: (writer) => writer.string(serverPath).int(mode === 'recursive' ? 1 : 0),
    decode: () => undefined,
  };
}

/** Of any kind: a server of 3.5 to 3.8 cannot name the kind of a persistent watch. */
export function removeWatchesOperation(serverPath: string): Operation<void> {
  return {
    operation: 'removeWatches',
    path: serverPath,
    code: op.removeWatches,
    writes: false,
    encode: (writer) => writer.string(serverPath).int(3),
    decode: () => undefined,
  };
}

/** Ends the session. Said twice it does no harm, so it may be sent again. */
export function closeOperation(): Operation<void> {
  return { operation: 'close', code: op.close, writes: false, encode: () => undefined, decode: () => undefined };
}
