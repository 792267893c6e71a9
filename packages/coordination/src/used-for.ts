import { isIP } from 'node:net';

/** What a node was made for, written into its data; for some with a number behind it. */
export type Kind = 'barrier' | 'double-barrier' | 'queue' | 'semaphore';

const mark = /^quorate\.([a-z-]+)(?: ([1-9]\d{0,9}))?$/;

export interface Purpose {
  readonly kind: string;
  readonly number: number | undefined;
}

export function markOf(kind: Kind, number?: number): string {
  return number === undefined ? `quorate.${kind}` : `quorate.${kind} ${number}`;
}

/** What the data of a node says that it is for; undefined when it is not ours. */
export function purposeIn(data: Buffer): Purpose | undefined {
  const [, kind, number] = (data.length <= 64 && mark.exec(data.toString())) || [];
  return kind === undefined ? undefined : { kind, number: number === undefined ? undefined : Number(number) };
}

/**
 * What the data of a node says that it is, when it is not what it should be. Nodes of Curator's barriers are empty, or
 * hold the address of who made them.
 */
export function otherKind(kind: Kind, data: Buffer): string | undefined {
  if (data.length === 0 || isIP(data.toString('latin1', 0, 64)) !== 0) return undefined;
  const purpose = purposeIn(data);
  // Not shown: it may be a secret.
  if (!purpose) return `${data.length} bytes of data`;
  return purpose.kind === kind ? undefined : `a ${purpose.kind}`;
}
