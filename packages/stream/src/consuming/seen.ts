/** The ids of the last messages, to know one that comes again; and of those that are worked on, to know one that comes twice at the same time. */
export class Seen {
  readonly #most: number;
  readonly #ids = new Set<string>();
  readonly #begun = new Set<string>();

  constructor(most: number) {
    this.#most = most;
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  /** False when it is worked on already. */
  begin(id: string): boolean {
    if (this.#begun.has(id)) return false;
    this.#begun.add(id);
    return true;
  }

  end(id: string): void {
    this.#begun.delete(id);
  }

  add(id: string): void {
    this.#ids.add(id);
    if (this.#ids.size <= this.#most) return;
    for (const oldest of this.#ids) {
      this.#ids.delete(oldest);
      return;
    }
  }
}
