import { isQuorateError } from '@quorate/core';
import type { ZooKeeper } from '@quorate/zookeeper';

/** Resolves when something has happened to a node, or at once when it is not there. Leaves no watch behind. */
export function changed(zk: ZooKeeper, path: string, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    if (zk.lost.aborted) return reject(zk.lost.reason);
    const over = new AbortController();
    const settle = (done: () => void): void => {
      signal?.removeEventListener('abort', aborted);
      zk.lost.removeEventListener('abort', lost);
      over.abort();
      done();
    };
    const aborted = (): void => settle(() => reject(signal?.reason));
    const lost = (): void => settle(() => reject(zk.lost.reason));
    signal?.addEventListener('abort', aborted, { once: true });
    zk.lost.addEventListener('abort', lost, { once: true });
    // By reading its data: a watch placed by asking whether it exists would wait for the next one when it does not.
    zk.get(path, { watch: () => settle(resolve), signal: over.signal }).catch((error) => {
      settle(() => (isQuorateError(error, 'no-node') ? resolve() : reject(error)));
    });
  });
}
