import { checkKeep, type Keeping, type KeepOptions } from './entry-options.ts';

/** Loads a value. `undefined` says that there is none, and that is remembered for `negative`. */
export type Load<T> = (context: LoadContext) => T | Promise<T>;

/** What a loader is told, and what it may say about its value. */
export class LoadContext {
  readonly key: string;
  /** Aborts when the time for loading is over, when nobody waits any more, and when the cache is closed. */
  readonly signal: AbortSignal;
  /** In a namespace: the version to load. It may have moved since. */
  readonly version: string | undefined;
  #keeping: Keeping;

  constructor(key: string, signal: AbortSignal, version: string | undefined, keeping: Keeping) {
    this.key = key;
    this.signal = signal;
    this.version = version;
    this.#keeping = keeping;
  }

  /** How this value is to be kept; tags are added to those the caller has given. `{ ttl: 0 }`: not at all. */
  keep(options: KeepOptions): void {
    this.#keeping = checkKeep(options, this.#keeping);
  }

  /** What has been said, as it stands. */
  static keepingOf(context: LoadContext): Keeping {
    return context.#keeping;
  }
}
