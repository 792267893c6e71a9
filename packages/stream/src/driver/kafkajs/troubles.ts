import type { QuorateError } from '@quorate/core';

/** What is wrong now, in several places, told as one: all is well when it is everywhere. */
export class Troubles {
  readonly #tell: (error: QuorateError | undefined) => void;
  readonly #at = new Map<string, QuorateError>();

  constructor(tell: (error: QuorateError | undefined) => void) {
    this.#tell = tell;
  }

  set(place: string, error: QuorateError): void {
    this.#at.set(place, error);
    this.#tell(error);
  }

  clear(place: string): void {
    if (this.#at.delete(place) && this.#at.size === 0) this.#tell(undefined);
  }

  /** Those in places that begin so are no longer of interest. */
  forget(places: string): void {
    for (const place of this.#at.keys()) if (place.startsWith(places)) this.clear(place);
  }
}
