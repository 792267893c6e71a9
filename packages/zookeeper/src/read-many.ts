import { InvalidArgumentError } from '@quorate/core';
import { ServerError } from './errors/server-error.ts';
import { checkPath } from './path.ts';
import type { Read, ReadResult } from './protocol/multi.ts';
import type { NodeData } from './protocol/reads.ts';

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

export function readOutcome(result: ReadResult | ServerError): ReadOutcome {
  if (result instanceof ServerError) return { error: result };
  return result.kind === 'get' ? { data: result.data, stat: result.stat } : { names: result.names };
}
