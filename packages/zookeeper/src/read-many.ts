import { InvalidArgumentError, isQuorateError } from '@quorate/core';
import { NoAuthError } from './errors/no-auth-error.ts';
import { NoNodeError } from './errors/no-node-error.ts';
import { ServerError } from './errors/server-error.ts';
import { checkPath } from './path.ts';
import { multiReadOperation, type Read, type ReadResult } from './protocol/multi.ts';
import { childrenOperation, getOperation, type NodeData } from './protocol/reads.ts';
import type { SessionLike } from './session/session-like.ts';

/** What to read of which path. */
export type ReadRequest = { readonly get: string } | { readonly children: string };

/** What came of one read. */
export type ReadOutcome = NodeData | { readonly names: string[] } | { readonly error: ServerError };

export function checkReads(reads: unknown, toServer: (path: string) => string): Read[] {
  if (!Array.isArray(reads)) throw new InvalidArgumentError('reads', 'a list', reads);
  return reads.map((read: Partial<Record<'get' | 'children', unknown>> | null, index) => {
    const kind = read && 'get' in read ? 'get' : 'children';
    const path = read?.[kind];
    checkPath(path, `reads[${index}].${kind}`);
    return { kind, path: toServer(path), clientPath: path };
  });
}

/** In one request; where that is not to be had, in one for each, all sent together. */
export async function readTogether(
  session: SessionLike,
  reads: readonly Read[],
  signal: AbortSignal | undefined,
): Promise<(ReadResult | ServerError)[]> {
  try {
    return await session.request(multiReadOperation(reads), { signal });
  } catch (error) {
    if (!isQuorateError(error, 'unsupported')) throw error;
  }
  return await Promise.all(reads.map((read) => readOne(session, read, signal)));
}

async function readOne(
  session: SessionLike,
  { kind, path, clientPath }: Read,
  signal: AbortSignal | undefined,
): Promise<ReadResult | ServerError> {
  try {
    if (kind === 'get') return { kind, ...(await session.request(getOperation(path, false, clientPath), { signal })) };
    const { names } = await session.request(childrenOperation(path, false, clientPath), { signal });
    return { kind, names };
  } catch (error) {
    // Of the others none is about this node alone.
    if (error instanceof NoNodeError || error instanceof NoAuthError) return error;
    throw error;
  }
}

export function readOutcome(result: ReadResult | ServerError): ReadOutcome {
  if (result instanceof ServerError) return { error: result };
  return result.kind === 'get' ? { data: result.data, stat: result.stat } : { names: result.names };
}
