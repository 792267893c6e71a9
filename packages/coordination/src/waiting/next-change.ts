import type { ReadOptions, ZooKeeper } from '@quorate/zookeeper';

/**
 * The next change of anything that is read with `watched`. A change is not the condition one waits for: read again, and
 * look. Dispose it: then no watch is left on the server, whether it has fired or not.
 */
export class NextChange implements Disposable {
  readonly watched: ReadOptions;
  /** Rejects when the wait is aborted or disposed of, or the session is over: a watch does not tell of that. */
  readonly happened: Promise<void>;
  readonly #over = new AbortController();
  readonly #forget: () => void;

  constructor(zk: ZooKeeper, signal?: AbortSignal | undefined) {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const end = (reason: unknown): void => {
      reject(reason);
      this.#over.abort(reason);
    };
    const lost = (): void => end(zk.lost.reason);
    const aborted = (): void => end(signal?.reason);
    this.happened = promise;
    this.watched = { watch: () => resolve(), signal: this.#over.signal };
    this.#forget = () => {
      reject();
      zk.lost.removeEventListener('abort', lost);
      signal?.removeEventListener('abort', aborted);
    };
    // Who stops before it happens does not hear of the rejection, and does not want to.
    promise.catch(() => undefined);
    if (signal?.aborted) aborted();
    else if (zk.lost.aborted) lost();
    zk.lost.addEventListener('abort', lost, { once: true });
    signal?.addEventListener('abort', aborted, { once: true });
  }

  [Symbol.dispose](): void {
    this.#forget();
    this.#over.abort();
  }
}
