import type { Writer } from '../jute/writer.ts';
import { op } from '../protocol/op-codes.ts';
import type { PlacedWatches } from './registry.ts';

/** Far below what a server accepts by default, whatever the paths are. */
const largestRequest = 128 * 1024 - 64;
const kinds = ['data', 'exists', 'children', 'persistent', 'recursive'] as const;

export interface ReplaceRequest {
  readonly code: number;
  encode(writer: Writer): void;
}

/**
 * The requests that place every watch again on a new connection, in pieces that any server accepts. With `lastZxid` the
 * server tells at once of what one-shot watches have missed.
 */
export function replaceRequests(watches: PlacedWatches, lastZxid: bigint): ReplaceRequest[] {
  const requests: ReplaceRequest[] = [];
  let piece = emptyPiece();
  let size = 0;
  for (const kind of kinds) {
    for (const path of watches[kind]) {
      const added = 4 + Buffer.byteLength(path);
      if (size > 0 && size + added > largestRequest) {
        requests.push(replaceRequest(piece, lastZxid));
        piece = emptyPiece();
        size = 0;
      }
      piece[kind].push(path);
      size += added;
    }
  }
  if (size > 0) requests.push(replaceRequest(piece, lastZxid));
  return requests;
}

function emptyPiece(): PlacedWatches {
  return { data: [], exists: [], children: [], persistent: [], recursive: [] };
}

function replaceRequest(piece: PlacedWatches, lastZxid: bigint): ReplaceRequest {
  // Servers before 3.6 have no persistent watches, and know only the older request.
  const older = piece.persistent.length === 0 && piece.recursive.length === 0;
  return {
    code: older ? op.setWatches : op.setWatches2,
    encode: (writer) => {
      writer.long(lastZxid);
      for (const kind of older ? kinds.slice(0, 3) : kinds) writer.list(piece[kind], (w, path) => w.string(path));
    },
  };
}
