import { AmbiguousError } from '@quorate/core';
import { NoNodeError } from '../errors/no-node-error.ts';
import { TransactionError } from '../errors/transaction-error.ts';
import { UnsupportedError } from '../errors/unsupported-error.ts';
import { Reader } from '../jute/reader.ts';
import { Writer } from '../jute/writer.ts';
import { permissionsOf } from '../protocol/acl.ts';
import type { StepResult } from '../protocol/multi.ts';
import { op } from '../protocol/op-codes.ts';
import type { Operation } from '../protocol/operation.ts';
import { serverError } from '../protocol/server-errors.ts';
import type { Stat } from '../protocol/stat.ts';
import {
  type Callback,
  type NativeAcl,
  type NativeError,
  type NativeStat,
  type NativeWatcher,
  type NodeZookeeperClient,
  nativeAcl,
} from './native.ts';

const container = 4;

/** Asks of the other client what one of our operations asks of a server, and resolves with what that would resolve with. */
export function call(
  client: NodeZookeeperClient,
  operation: Operation<unknown>,
  watcher: NativeWatcher,
): Promise<unknown> {
  // An operation knows how to write itself, so that is where its arguments are read from.
  const asked = new Reader(written(operation));
  switch (operation.code) {
    case op.create:
      return create(client, asked);
    case op.get:
      return calledBack<[Buffer | undefined, NativeStat]>((done) =>
        client.getData(asked.string(), asked.bool() ? watcher : undefined, done),
      ).then(([data, stat]) => ({ data: data ?? Buffer.alloc(0), stat: ourStat(stat) }));
    case op.exists:
      return exists(client, asked.string(), asked.bool() ? watcher : undefined);
    case op.children:
      return calledBack<[string[], NativeStat]>((done) =>
        client.getChildren(asked.string(), asked.bool() ? watcher : undefined, done),
      ).then(([names, stat]) => ({ names, stat: ourStat(stat) }));
    case op.set:
      return calledBack<[NativeStat]>((done) => client.setData(asked.string(), asked.bytes(), asked.int(), done)).then(
        ([stat]) => ourStat(stat),
      );
    case op.delete:
      return calledBack<[]>((done) => client.remove(asked.string(), asked.int(), done)).then(() => undefined);
    case op.getAcl:
      return calledBack<[NativeAcl[], NativeStat]>((done) => client.getACL(asked.string(), done)).then(
        ([acl, stat]) => ({
          acl: acl.map(({ permission, id }) => ({
            permissions: permissionsOf(permission),
            scheme: id.scheme,
            id: id.id,
          })),
          stat: ourStat(stat),
        }),
      );
    case op.setAcl:
      return calledBack<[NativeStat]>((done) => client.setACL(asked.string(), readAcls(asked), asked.int(), done)).then(
        ([stat]) => ourStat(stat),
      );
    case op.sync:
      return sync(client);
    case op.multi:
      return transaction(client, operation, asked);
    default:
      throw new UnsupportedError(operation.operation, 'node-zookeeper-client does not support it; use connect()');
  }
}

function written(operation: Operation<unknown>): Buffer {
  const writer = new Writer();
  operation.encode(writer);
  return writer.take();
}

function calledBack<Values extends unknown[]>(start: (done: Callback<Values>) => void): Promise<Values> {
  return new Promise((resolve, reject) => {
    start((error: NativeError, ...values: Values) => (error ? reject(error) : resolve(values)));
  });
}

/**
 * That client has no `sync`. A transaction that only checks is one: it goes by the leader and a quorum as a write does, and
 * its reply comes when the member has applied all that was committed before. It changes nothing, so it may be repeated. The
 * leader decides whether it is refused as well, and that takes the same way: what it comes to does not matter.
 */
function sync(client: NodeZookeeperClient): Promise<void> {
  return new Promise((resolve, reject) => {
    client
      .transaction()
      .check('/', -1)
      .commit((error, outcomes) => (error && !outcomes ? reject(error) : resolve()));
  });
}

async function create(client: NodeZookeeperClient, asked: Reader): Promise<{ path: string; stat: Stat }> {
  const { path, data, acl, flags } = readCreate(asked);
  const [created] = await calledBack<[string]>((done) => client.create(path, data, acl, flags, done));
  // It asks for no stat, which then costs a second trip.
  return { path: created, stat: await createdStat(client, created) };
}

/** It was created for certain, but what is gone again cannot be told of. */
async function createdStat(client: NodeZookeeperClient, path: string): Promise<Stat> {
  try {
    return await exists(client, path, undefined);
  } catch (error) {
    throw new AmbiguousError(`create ${path}: it was done, but its stat could not be read afterwards`, {
      cause: error,
    });
  }
}

async function exists(client: NodeZookeeperClient, path: string, watcher: NativeWatcher): Promise<Stat> {
  const [stat] = await calledBack<[NativeStat | undefined]>((done) => client.exists(path, watcher, done));
  if (!stat) throw new NoNodeError({ operation: 'exists', path });
  return ourStat(stat);
}

async function transaction(
  client: NodeZookeeperClient,
  operation: Operation<unknown>,
  asked: Reader,
): Promise<StepResult[]> {
  const native = client.transaction();
  const kinds: StepResult['kind'][] = [];
  const paths: string[] = [];
  for (let code = asked.int(); !asked.bool(); code = asked.int()) {
    asked.int();
    if (code === op.create) {
      const { path, data, acl, flags } = readCreate(asked);
      native.create(path, data, acl, flags);
      kinds.push('create');
      paths.push(path);
      continue;
    }
    const path = asked.string();
    if (code === op.delete && kinds.some((kind, index) => kind === 'create' && paths[index] === path)) {
      throw new UnsupportedError('creating and deleting a node in one transaction', 'its stat could not be determined');
    }
    paths.push(path);
    if (code === op.set) native.setData(path, asked.bytes(), 0);
    else if (code === op.delete) native.remove(path, 0);
    else if (code === op.check) native.check(path, 0);
    else
      throw new UnsupportedError(operation.operation, 'node-zookeeper-client does not support one of its operations');
    kinds.push(code === op.set ? 'set' : code === op.delete ? 'delete' : 'check');
    // It makes a version of 0 into any version: written over here.
    const added = native.ops.at(-1);
    if (added) added.version = asked.int();
  }
  const results = await new Promise<
    Awaited<Parameters<Callback<[{ type: number; err?: number; path?: string; stat?: NativeStat }[]]>>>[1]
  >((resolve, reject) => {
    native.commit((error, outcomes) => {
      if (!error) return resolve(outcomes);
      const index = outcomes?.findIndex(({ type, err = 0 }) => type === op.error && err !== 0 && err !== -2) ?? -1;
      const kind = kinds[index];
      if (kind === undefined || typeof error.code !== 'number') return reject(error);
      reject(new TransactionError(index, serverError(error.code, { operation: kind, path: paths[index] ?? '' })));
    });
  });
  return Promise.all(
    results.map(async ({ path, stat }, index): Promise<StepResult> => {
      const kind = kinds[index] ?? 'check';
      if (kind === 'create') return { kind, path: path ?? '', stat: await createdStat(client, path ?? '') };
      return kind === 'set' && stat ? { kind, stat: ourStat(stat) } : ({ kind } as StepResult);
    }),
  );
}

function readCreate(asked: Reader): { path: string; data: Buffer; acl: NativeAcl[]; flags: number } {
  const [path, data, acl, flags] = [asked.string(), asked.bytes(), readAcls(asked), asked.int()];
  if (flags >= container)
    throw new UnsupportedError('create of a container', 'node-zookeeper-client does not support it; use connect()');
  return { path, data, acl, flags };
}

function readAcls(asked: Reader): NativeAcl[] {
  return asked.list(12, (r) => nativeAcl(r.int(), r.string(), r.string()));
}

function ourStat(stat: NativeStat): Stat {
  const long = (bytes: Buffer): bigint => bytes.readBigInt64BE(0);
  const { version, cversion, aversion, dataLength, numChildren } = stat;
  return {
    czxid: long(stat.czxid),
    mzxid: long(stat.mzxid),
    pzxid: long(stat.pzxid),
    ctime: long(stat.ctime),
    mtime: long(stat.mtime),
    version,
    cversion,
    aversion,
    ephemeralOwner: long(stat.ephemeralOwner),
    dataLength,
    numChildren,
  };
}
