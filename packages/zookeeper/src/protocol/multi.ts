import { MalformedFrameError } from '../errors/malformed-frame-error.ts';
import type { ServerError } from '../errors/server-error.ts';
import { TransactionError } from '../errors/transaction-error.ts';
import type { Reader } from '../jute/reader.ts';
import type { Writer } from '../jute/writer.ts';
import { isEphemeral, modeOf } from './create-mode.ts';
import { op } from './op-codes.ts';
import type { Operation } from './operation.ts';
import { type Children, type NodeData, readNodeData } from './reads.ts';
import { serverError } from './server-errors.ts';
import { readStat, type Stat } from './stat.ts';
import { type CreateArguments, type Created, createCode, readCreated, writeCreate } from './writes.ts';

/** One step of a transaction, with the path its user knows it by. */
export type Step =
  | ({ readonly kind: 'create'; readonly clientPath: string } & CreateArguments)
  | {
      readonly kind: 'set';
      readonly path: string;
      readonly data: Uint8Array;
      readonly version: number;
      readonly clientPath: string;
    }
  | { readonly kind: 'delete' | 'check'; readonly path: string; readonly version: number; readonly clientPath: string };

/** What a step came to. */
export type StepResult =
  | ({ readonly kind: 'create' } & Created)
  | { readonly kind: 'set'; readonly stat: Stat }
  | { readonly kind: 'delete' | 'check' };

/** The server undid this step, or did not try it, because another one failed. */
const notTried = -2;
/** The create of 3.4, as which servers before 3.7 answer ours. */
const bareCreate = 1;

/** `session` is the one through which it goes: it owns the ephemeral nodes. */
export function multiOperation(steps: readonly Step[], session: bigint): Operation<StepResult[]> {
  return {
    operation: 'transaction',
    code: op.multi,
    writes: true,
    encode: (writer) => {
      for (const step of steps) writeStep(writer, step);
      writeHeader(writer, -1, true);
    },
    decode: (reader, zxid) => {
      const results: StepResult[] = [];
      const codes: number[] = [];
      for (let header = readHeader(reader); !header.done; header = readHeader(reader)) {
        if (header.type === op.error) codes.push(reader.int());
        else if (header.type === bareCreate)
          results.push(readBareCreate(reader, steps[results.length], { zxid, session }));
        else results.push(readStepResult(reader, header.type));
      }
      if (codes.length > 0) throw failure(steps, codes);
      if (results.length !== steps.length) {
        throw new MalformedFrameError(`${results.length} results for a transaction of ${steps.length} operations`);
      }
      return results;
    },
  };
}

export type Read = { readonly kind: 'get' | 'children'; readonly path: string; readonly clientPath: string };
export type ReadResult =
  | ({ readonly kind: 'get' } & NodeData)
  | { readonly kind: 'children'; readonly names: Children['names'] };

/** Several reads in one request. Each has its own outcome: one that failed takes nothing from the others. */
export function multiReadOperation(reads: readonly Read[]): Operation<(ReadResult | ServerError)[]> {
  return {
    operation: 'read',
    code: op.multiRead,
    writes: false,
    encode: (writer) => {
      for (const { kind, path } of reads) {
        writeHeader(writer, kind === 'get' ? op.get : op.childNames, false);
        writer.string(path).bool(false);
      }
      writeHeader(writer, -1, true);
    },
    decode: (reader) => {
      const results: (ReadResult | ServerError)[] = [];
      for (let header = readHeader(reader); !header.done; header = readHeader(reader)) {
        const read = reads[results.length];
        if (!read) throw new MalformedFrameError(`more results than the ${reads.length} reads asked for`);
        const asked = { operation: read.kind, path: read.clientPath };
        if (header.type === op.error) results.push(serverError(reader.int(), asked));
        else results.push(readReadResult(reader, header.type));
      }
      if (results.length !== reads.length)
        throw new MalformedFrameError(`${results.length} results for ${reads.length} reads`);
      return results;
    },
  };
}

function writeHeader(writer: Writer, type: number, done: boolean): void {
  writer.int(type).bool(done).int(-1);
}

function readHeader(reader: Reader): { type: number; done: boolean } {
  const type = reader.int();
  const done = reader.bool();
  reader.int();
  return { type, done };
}

function writeStep(writer: Writer, step: Step): void {
  switch (step.kind) {
    case 'create':
      writeHeader(writer, createCode(step), false);
      writeCreate(writer, step);
      return;
    case 'set':
      writeHeader(writer, op.set, false);
      writer.string(step.path).bytes(step.data).int(step.version);
      return;
    case 'delete':
    case 'check':
      writeHeader(writer, op[step.kind], false);
      writer.string(step.path).int(step.version);
  }
}

function readStepResult(reader: Reader, type: number): StepResult {
  switch (type) {
    case op.create:
    case op.createContainer:
    case op.createTtl:
      return { kind: 'create', ...readCreated(reader) };
    case op.set:
      return { kind: 'set', stat: readStat(reader) };
    case op.delete:
      return { kind: 'delete' };
    case op.check:
      return { kind: 'check' };
    default:
      throw new MalformedFrameError(`a result of operation ${type} in a transaction`);
  }
}

/**
 * The stat is left out, and to read it afterwards would give what others have made of the node since. What a node is born
 * with is known all the same, but for the time by the clock of the servers: `ctime` and `mtime` are 0.
 */
function readBareCreate(
  reader: Reader,
  step: Step | undefined,
  { zxid, session }: { readonly zxid: bigint; readonly session: bigint },
): StepResult {
  if (step?.kind !== 'create') throw new MalformedFrameError('a result of a create that was not asked for');
  const stat: Stat = {
    czxid: zxid,
    mzxid: zxid,
    pzxid: zxid,
    ctime: 0n,
    mtime: 0n,
    version: 0,
    cversion: 0,
    aversion: 0,
    ephemeralOwner: isEphemeral(modeOf(step.flags)) ? session : 0n,
    dataLength: step.data.length,
    numChildren: 0,
  };
  return { kind: 'create', path: reader.string(), stat };
}

function readReadResult(reader: Reader, type: number): ReadResult {
  if (type === op.get) return { kind: 'get', ...readNodeData(reader) };
  if (type === op.childNames) return { kind: 'children', names: reader.list(4, (r) => r.string()) };
  throw new MalformedFrameError(`a result of operation ${type} among reads`);
}

function failure(steps: readonly Step[], codes: readonly number[]): TransactionError {
  const found = codes.findIndex((code) => code !== 0 && code !== notTried);
  const index = found === -1 ? codes.findIndex((code) => code !== 0) : found;
  const step = steps[index];
  const asked = step ? { operation: step.kind, path: step.clientPath } : { operation: 'transaction' };
  return new TransactionError(Math.max(index, 0), serverError(codes[index] ?? -1, asked));
}
