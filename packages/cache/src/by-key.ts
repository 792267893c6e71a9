/**
 * What comes and goes by key, at every call. Not a `Map`: one that is filled and emptied all the time gives up one table
 * after the other, and each refers to the next, so the first that is collected late keeps all that ever was in the others.
 */
export class ByKey<T> {
  #all: Record<string, T> = Object.create(null);

  get(key: string): T | undefined {
    return this.#all[key];
  }

  has(key: string): boolean {
    return this.#all[key] !== undefined;
  }

  set(key: string, one: T): void {
    this.#all[key] = one;
  }

  delete(key: string): void {
    delete this.#all[key];
  }

  clear(): void {
    this.#all = Object.create(null);
  }

  values(): T[] {
    return Object.values(this.#all);
  }
}
