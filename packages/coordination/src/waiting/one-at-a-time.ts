import { untilAborted } from './until-aborted.ts';

/** One at a time, in the order of the calls. */
export class OneAtATime {
  #last: Promise<void> = Promise.resolve();

  /** Runs `work` when everything before it is done. Aborting ends the wait for one's turn; `work` has a signal of its own. */
  async run<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = before.then(() => promise);
    try {
      await untilAborted(signal, before);
      return await work();
    } finally {
      resolve();
    }
  }
}
