/** What a search may use up. One that is spent says so, and the verdict is `unknown`. */
export class Budget {
  readonly #deadline: number;
  #bytes: number;
  #countdown = 0;
  /** Why there is nothing left. */
  spent: 'time' | 'memory' | undefined;

  constructor({ milliseconds, bytes }: { readonly milliseconds: number; readonly bytes: number }) {
    this.#deadline = performance.now() + milliseconds;
    this.#bytes = bytes;
  }

  /** Takes estimated bytes, and looks at the clock now and then. False when there is nothing left. */
  take(bytes: number): boolean {
    this.#bytes -= bytes;
    if (this.#bytes < 0) this.spent ??= 'memory';
    this.#countdown -= 1;
    if (this.#countdown < 0) {
      this.#countdown = 256;
      if (performance.now() >= this.#deadline) this.spent ??= 'time';
    }
    return this.spent === undefined;
  }
}
