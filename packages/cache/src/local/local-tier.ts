import type { LocalEntry } from './local-entry.ts';

/** The entries of this process: so many, of so many bytes, and the least recently used goes first. */
export class LocalTier {
  readonly maxItems: number;
  readonly maxBytes: number;
  readonly #onEvicted: () => void;
  readonly #entries = new Map<string, LocalEntry>();
  #newest: LocalEntry | undefined;
  #oldest: LocalEntry | undefined;
  #bytes = 0;

  constructor(maxItems: number, maxBytes: number, onEvicted: () => void) {
    this.maxItems = maxItems;
    this.maxBytes = maxBytes;
    this.#onEvicted = onEvicted;
  }

  get items(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The entry under a key, which is now the one most recently used. */
  get(key: string): LocalEntry | undefined {
    const entry = this.#entries.get(key);
    if (entry !== undefined && entry !== this.#newest) {
      this.#unlink(entry);
      this.#link(entry);
    }
    return entry;
  }

  /** Takes its place, and the place of others where there is no room. What is larger than all of it is not kept. */
  set(entry: LocalEntry): void {
    this.delete(entry.key);
    if (entry.bytes > this.maxBytes) return;
    this.#entries.set(entry.key, entry);
    this.#link(entry);
    this.#bytes += entry.bytes;
    while (this.#entries.size > this.maxItems || this.#bytes > this.maxBytes) {
      this.#remove(this.#oldest as LocalEntry);
      this.#onEvicted();
    }
  }

  delete(key: string): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    this.#remove(entry);
    return true;
  }

  clear(): void {
    this.#entries.clear();
    this.#newest = undefined;
    this.#oldest = undefined;
    this.#bytes = 0;
  }

  /** From the least recently used on. */
  *[Symbol.iterator](): Iterator<LocalEntry> {
    for (let entry = this.#oldest; entry !== undefined; entry = entry.newer) yield entry;
  }

  #remove(entry: LocalEntry): void {
    this.#entries.delete(entry.key);
    this.#unlink(entry);
    this.#bytes -= entry.bytes;
  }

  #link(entry: LocalEntry): void {
    entry.older = this.#newest;
    entry.newer = undefined;
    if (this.#newest === undefined) this.#oldest = entry;
    else this.#newest.newer = entry;
    this.#newest = entry;
  }

  #unlink(entry: LocalEntry): void {
    if (entry.older === undefined) this.#oldest = entry.newer;
    else entry.older.newer = entry.newer;
    if (entry.newer === undefined) this.#newest = entry.older;
    else entry.newer.older = entry.older;
    entry.older = undefined;
    entry.newer = undefined;
  }
}
