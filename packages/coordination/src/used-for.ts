import { isIP } from 'node:net';

const mark = 'quorate.';

/** What a node was made for, written into its data. */
export type Kind = 'barrier' | 'double-barrier' | 'queue';

export function markOf(kind: Kind): string {
  return mark + kind;
}

/**
 * What the data of a node says that it is, when it is not what it should be. Nodes of Curator's barriers are empty, or
 * hold the address of who made them.
 */
export function otherKind(kind: Kind, data: Buffer): string | undefined {
  if (data.length === 0) return undefined;
  const text = data.length <= 64 ? data.toString() : '';
  if (text === markOf(kind) || isIP(text) !== 0) return undefined;
  // Not shown: it may be a secret.
  return text.startsWith(mark) ? `a ${text.slice(mark.length)}` : `${data.length} bytes of data`;
}
