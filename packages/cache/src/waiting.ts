interface Waiter {
  wake(): void;
}

/** Who waits for another process's load, by key. */
export class Waiting {
  readonly #lines = new Map<string, Set<Waiter>>();

  /** Told when there is something to look at for this key, until it is disposed of. */
  join(key: string, waiter: Waiter): Disposable {
    const line = this.#lines.get(key) ?? new Set();
    this.#lines.set(key, line.add(waiter));
    return {
      [Symbol.dispose]: () => {
        line.delete(waiter);
        if (line.size === 0 && this.#lines.get(key) === line) this.#lines.delete(key);
      },
    };
  }

  wake(key: string): void {
    for (const waiter of this.#lines.get(key) ?? []) waiter.wake();
  }

  /** Word may have been missed: all look by themselves. */
  wakeAll(): void {
    for (const key of this.#lines.keys()) this.wake(key);
  }
}
