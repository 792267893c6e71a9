import { UnsupportedError } from '../errors/unsupported-error.ts';
import { Reader } from '../jute/reader.ts';
import { Writer } from '../jute/writer.ts';
import { type Acl, readAcl, smallestAcl } from '../protocol/acl.ts';
import { type CreateMode, modeOf } from '../protocol/create-mode.ts';
import { op } from '../protocol/op-codes.ts';
import type { Operation } from '../protocol/operation.ts';
import type { WatchMode } from '../protocol/reads.ts';
import type { PlacedWatches } from '../watch/registry.ts';

/** A write, alone or as a step of a transaction. A version of undefined is any. */
export type WriteQuestion =
  | {
      readonly kind: 'create';
      readonly path: string;
      readonly data: Buffer;
      readonly acl: readonly Acl[];
      readonly mode: CreateMode;
      readonly ttl: number | undefined;
    }
  | { readonly kind: 'set'; readonly path: string; readonly data: Buffer; readonly version: number | undefined }
  | { readonly kind: 'delete' | 'check'; readonly path: string; readonly version: number | undefined };

/** What a session asks of its servers. */
export type Question =
  | WriteQuestion
  | {
      readonly kind: 'setAcl';
      readonly path: string;
      readonly acl: readonly Acl[];
      readonly version: number | undefined;
    }
  | { readonly kind: 'transaction'; readonly steps: readonly WriteQuestion[] }
  | { readonly kind: 'get' | 'children'; readonly path: string; readonly watch: boolean }
  | { readonly kind: 'exists'; readonly path: string; readonly watch: boolean }
  | { readonly kind: 'acl' | 'sync' | 'ephemerals' | 'countDescendants' | 'removeWatches'; readonly path: string }
  | { readonly kind: 'readMany'; readonly reads: readonly ReadQuestion[] }
  | { readonly kind: 'watch'; readonly path: string; readonly mode: WatchMode }
  /** On a new connection: the watches of the one before, of which the servers tell what they have missed after `since`. */
  | { readonly kind: 'replaceWatches'; readonly since: bigint; readonly watches: PlacedWatches }
  | { readonly kind: 'whoAmI' | 'close' };

export interface ReadQuestion {
  readonly kind: 'get' | 'children';
  readonly path: string;
}

/** A question with the bytes it would take as a request. */
export interface Asking {
  readonly question: Question;
  readonly size: number;
}

/** What an operation asks. It knows how to write itself, so that is where its arguments are read from. */
export function questionOf(operation: Operation<unknown>): Asking {
  const writer = new Writer(256);
  operation.encode(writer);
  // With the two numbers ahead of it that every request has.
  const size = writer.length + 8;
  return { question: read(operation, new Reader(writer.take())), size };
}

function read({ code, operation }: Operation<unknown>, asked: Reader): Question {
  switch (code) {
    case op.create:
    case op.createContainer:
    case op.createTtl:
    case op.set:
    case op.delete:
      return readWrite(code, asked);
    case op.multi:
      return { kind: 'transaction', steps: readEach(asked, readWrite) };
    case op.multiRead:
      return { kind: 'readMany', reads: readEach(asked, readRead) };
    case op.get:
      return { kind: 'get', path: asked.string(), watch: asked.bool() };
    case op.exists:
      return { kind: 'exists', path: asked.string(), watch: asked.bool() };
    case op.children:
      return { kind: 'children', path: asked.string(), watch: asked.bool() };
    case op.getAcl:
      return { kind: 'acl', path: asked.string() };
    case op.setAcl:
      return {
        kind: 'setAcl',
        path: asked.string(),
        acl: asked.list(smallestAcl, readAcl),
        version: readVersion(asked),
      };
    case op.sync:
      return { kind: 'sync', path: asked.string() };
    case op.ephemerals:
      return { kind: 'ephemerals', path: asked.string() };
    case op.countDescendants:
      return { kind: 'countDescendants', path: asked.string() };
    case op.whoAmI:
      return { kind: 'whoAmI' };
    case op.addWatch:
      return { kind: 'watch', path: asked.string(), mode: asked.int() === 1 ? 'recursive' : 'persistent' };
    case op.removeWatches:
      return { kind: 'removeWatches', path: asked.string() };
    case op.close:
      return { kind: 'close' };
    default:
      throw new UnsupportedError(operation, 'servers in the same process do not support it; use connect()');
  }
}

function readWrite(code: number, asked: Reader): WriteQuestion {
  const path = asked.string();
  switch (code) {
    case op.set:
      return { kind: 'set', path, data: copied(asked.bytes()), version: readVersion(asked) };
    case op.delete:
      return { kind: 'delete', path, version: readVersion(asked) };
    case op.check:
      return { kind: 'check', path, version: readVersion(asked) };
    default: {
      const data = copied(asked.bytes());
      const acl = asked.list(smallestAcl, readAcl);
      const mode = modeOf(asked.int());
      return { kind: 'create', path, data, acl, mode, ttl: code === op.createTtl ? Number(asked.long()) : undefined };
    }
  }
}

function readRead(code: number, asked: Reader): ReadQuestion {
  const path = asked.string();
  asked.bool();
  return { kind: code === op.get ? 'get' : 'children', path };
}

/** The parts of a request that has several, each after its code. */
function readEach<T>(asked: Reader, one: (code: number, asked: Reader) => T): T[] {
  const parts: T[] = [];
  for (let code = asked.int(); !asked.bool(); code = asked.int()) {
    asked.int();
    parts.push(one(code, asked));
  }
  return parts;
}

function readVersion(asked: Reader): number | undefined {
  const version = asked.int();
  return version === -1 ? undefined : version;
}

/** It is kept for as long as the node, and must not keep the whole request alive. */
function copied(bytes: Buffer): Buffer {
  return Buffer.from(bytes);
}
