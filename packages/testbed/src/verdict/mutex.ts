import { fieldOf } from '../history/plain.ts';
import { bigintOf, groupsBy, isKnown, type Model, placesOf, unfit } from './model.ts';

export type MutexCall =
  | { readonly op: 'acquire'; readonly token: bigint | undefined }
  | { readonly op: 'release'; readonly token: bigint };

/** `holder` is the token of the holder, `unknown` when its acquire was ambiguous; `last` the highest token so far. */
export interface MutexState {
  readonly holder: bigint | 'unknown' | undefined;
  readonly last: bigint;
}

/**
 * A lock with fencing tokens. `acquire {key}` returns the token, as it is or as `{token}`: always above every one before.
 * `release {key, token}` ends the holding of that token. A holder that dies or loses its session releases too, at a time
 * nobody knows: record that as a `release` that is ambiguous, from the moment it may have lost the lock.
 */
export function mutex(): Model<MutexState, MutexCall> {
  return {
    name: 'mutex with fencing token',
    operations: ['acquire', 'release'],
    initial: { holder: undefined, last: -1n },
    stateKey: ({ holder, last }) => `${holder ?? 'free'} ${last}`,
    show: ({ holder, last }) =>
      holder === undefined
        ? last < 0n
          ? 'free, never held'
          : `free, last held with token ${last}`
        : holder === 'unknown'
          ? `held with an unknown token, above ${last}`
          : `held with token ${holder}`,
    call: (operation) => {
      if (operation.op === 'acquire') {
        if (!isKnown(operation)) return { op: 'acquire', token: undefined };
        const token = bigintOf(fieldOf(operation.output, 'token') ?? operation.output);
        if (token === undefined) throw unfit(operation, 'a token, a bigint, as output');
        return { op: 'acquire', token };
      }
      const token = bigintOf(fieldOf(operation.input, 'token'));
      if (token === undefined) throw unfit(operation, 'an input with a field "token", a bigint');
      return { op: 'release', token };
    },
    step: ({ holder, last }, { op, token }) => {
      if (op === 'acquire') {
        if (holder !== undefined) return [];
        if (token === undefined) return [{ holder: 'unknown', last }];
        return token > last ? [{ holder: token, last: token }] : [];
      }
      if (holder === token) return [{ holder: undefined, last }];
      return holder === 'unknown' && token > last ? [{ holder: undefined, last: token }] : [];
    },
    // All that was done with one token can go. A release whose acquire is not here may belong to an ambiguous acquire:
    // then neither can.
    separable: (calls) => {
      const acquired = new Set(
        calls.flatMap(({ op, token }) => (op === 'acquire' && token !== undefined ? [token] : [])),
      );
      const orphans = calls.some(({ op, token }) => op === 'release' && token !== undefined && !acquired.has(token));
      const byToken = groupsBy(calls, ({ token }) =>
        token !== undefined && acquired.has(token) ? String(token) : undefined,
      );
      return orphans ? byToken : [...byToken, ...placesOf(calls, ({ token }) => token === undefined)];
    },
  };
}
