/** In front of what is not there at first. Whoever passes goes on at once when it is there, else as soon as it is: in the order in which they came. */
export class Gate<Thing> {
  readonly #peek: () => Thing | undefined;
  readonly #fetch: () => Promise<Thing>;
  #waiting: { readonly go: (thing: Thing) => void; readonly fail: (error: unknown) => void }[] = [];

  constructor(peek: () => Thing | undefined, fetch: () => Promise<Thing>) {
    this.#peek = peek;
    this.#fetch = fetch;
  }

  pass(go: (thing: Thing) => void, fail: (error: unknown) => void): void {
    const thing = this.#waiting.length === 0 ? this.#peek() : undefined;
    if (thing !== undefined) {
      go(thing);
      return;
    }
    this.#waiting.push({ go, fail });
    if (this.#waiting.length > 1) return;
    this.#fetch().then(
      (fetched) => {
        for (const { go: goOn } of this.#takeAll()) goOn(fetched);
      },
      (error: unknown) => {
        for (const { fail: giveUp } of this.#takeAll()) giveUp(error);
      },
    );
  }

  #takeAll(): readonly { readonly go: (thing: Thing) => void; readonly fail: (error: unknown) => void }[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting;
  }
}
