import { checkKeep, type Keeping, type KeepOptions } from './entry-options.ts';

/** Loads a value. `undefined` says that there is none, and that is remembered for `negative`. */
export type Load<T> = (context: LoadContext) => T | Promise<T>;

/** What a loader is told, and what it may say about its value. */
export class LoadContext {
  readonly key: string;
  /** In a namespace: the version to load. It may have moved since. */
  readonly version: string | undefined;
  readonly #allowance: { readonly signal: AbortSignal };
  #keeping: Keeping;

  constructor(key: string, allowance: { readonly signal: AbortSignal }, version: string | undefined, keeping: Keeping) {
    this.key = key;
    this.#allowance = allowance;
    this.version = version;
    this.#keeping = keeping;
  }

  /** Aborts when the time for loading is over, when nobody waits any more, and when the cache is closed. */
  get signal(): AbortSignal {
    return this.#allowance.signal;
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
