import type { WatchEvent } from '@quorate/zookeeper';

/** What is to be read again: some paths, or everything. */
export type Reading = ReadonlySet<string> | 'everything';

/**
 * Gathers what has changed until it is read again, each path once. At first, and where too much comes together, that is
 * everything.
 */
export class Touched {
  readonly #limit: number;
  #paths = new Set<string>();
  #everything = true;
  #end: { readonly error: unknown } | undefined;
  #wake = Promise.withResolvers<void>();

  constructor(limit = 50_000) {
    this.#limit = limit;
    this.#wake.resolve();
  }

  add({ type, path }: WatchEvent): void {
    if (type === 'gap' || this.#paths.size >= this.#limit) this.#everything = true;
    if (this.#everything) this.#paths.clear();
    else this.#paths.add(path);
    this.#wake.resolve();
  }

  /** Nothing will come any more. */
  end(error?: unknown): void {
    this.#end ??= { error };
    this.#wake.resolve();
  }

  /** Waits until something has changed, and takes it. Undefined at the end, which may be an error. */
  async take(): Promise<Reading | undefined> {
    await this.#wake.promise;
    if (this.#end) {
      if (this.#end.error !== undefined) throw this.#end.error;
      return undefined;
    }
    const taken = this.#everything ? 'everything' : this.#paths;
    this.#everything = false;
    this.#paths = new Set();
    this.#wake = Promise.withResolvers();
    return taken;
  }
}
