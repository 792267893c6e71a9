/** First in, first out, at constant cost however long it is: `shift` of an array is not. */
export class Fifo<T> {
  #items: T[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  peek(): T | undefined {
    return this.#items[this.#head];
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): T | undefined {
    const item = this.#items[this.#head];
    if (item === undefined) return undefined;
    // Let go of it now: the array itself is tidied up only now and then.
    this.#items[this.#head] = undefined as never;
    this.#head += 1;
    if (this.#head === this.#items.length) this.#clear();
    else if (this.#head >= 1024 && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** Takes everything out, in order. */
  drain(): T[] {
    const items = this.#items.slice(this.#head);
    this.#clear();
    return items;
  }

  #clear(): void {
    this.#items = [];
    this.#head = 0;
  }
}
