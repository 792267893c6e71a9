import { isQuorateError } from '@quorate/core';
import type { ReadOptions, State, ZooKeeper } from '@quorate/zookeeper';

/** Why a signal of our own aborts. Without a reason it would make an exception with a stack, at each handover. */
export const settled = 'settled';

/**
 * Resolves when something happened to a node, or at once when it is not there. Rejects when the session is over or
 * `signal` aborts, and leaves no watch behind.
 */
export function departed(zk: ZooKeeper, path: string, signal: AbortSignal | undefined): Promise<void> {
  // By reading its data: a watch placed by asking whether it exists would stay when it does not.
  return untilChange(zk, signal, (watch) => zk.get(path, watch));
}

/** Resolves when the watch that `read` places has fired, or at once when what it reads is not there. */
export function untilChange(
  zk: ZooKeeper,
  signal: AbortSignal | undefined,
  read: (watch: ReadOptions) => Promise<unknown>,
): Promise<void> {
  return unlessOver(zk, signal, (resolve, reject, over) => {
    read({ watch: resolve, signal: over }).catch((error) => {
      if (isQuorateError(error, 'no-node')) resolve();
      else reject(error);
    });
  });
}

/** Resolves when the session is connected. */
export function connected(zk: ZooKeeper, signal: AbortSignal | undefined): Promise<void> {
  return unlessOver(zk, signal, (resolve, _, over) => {
    const changed = (state: State): void => {
      if (state === 'connected') resolve();
    };
    zk.on('state', changed);
    over.addEventListener('abort', () => zk.off('state', changed), { once: true });
    changed(zk.state);
  });
}

/** A wait that `signal` and the end of the session cut short. `over` aborts when it is settled, one way or another. */
function unlessOver(
  zk: ZooKeeper,
  signal: AbortSignal | undefined,
  begin: (resolve: () => void, reject: (reason: unknown) => void, over: AbortSignal) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    if (zk.lost.aborted) return reject(zk.lost.reason);
    const over = new AbortController();
    const settle = (done: () => void): void => {
      signal?.removeEventListener('abort', aborted);
      zk.lost.removeEventListener('abort', lost);
      over.abort(settled);
      done();
    };
    const aborted = (): void => settle(() => reject(signal?.reason));
    const lost = (): void => settle(() => reject(zk.lost.reason));
    signal?.addEventListener('abort', aborted, { once: true });
    zk.lost.addEventListener('abort', lost, { once: true });
    begin(
      () => settle(resolve),
      (reason) => settle(() => reject(reason)),
      over.signal,
    );
  });
}
