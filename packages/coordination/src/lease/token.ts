import type { ZooKeeper } from '@quorate/zookeeper';
import { TokensExhaustedError } from '../errors/tokens-exhausted-error.ts';

/** The bits of a token that are the transaction's number; those above are the epoch. */
const bits = 48n;

/** The transaction that a token tells of, whatever its epoch. */
export function transactionOf(token: bigint): bigint {
  return BigInt.asUintN(Number(bits), token);
}

/**
 * The fencing token of whoever holds a node: the transaction that created it, below the epoch of the session. All numbers
 * of one epoch are below those of the next, however far the servers' own count goes back in between.
 */
export function tokenOf({ tokenEpoch }: ZooKeeper, path: string, { czxid }: { readonly czxid: bigint }): bigint {
  if (czxid >> bits !== 0n) throw new TokensExhaustedError(path, czxid);
  return (BigInt(tokenEpoch) << bits) | czxid;
}
