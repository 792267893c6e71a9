import type { QuorateError } from '@quorate/core';

/** What is wrong at the moment, by where: tells when it begins, when it becomes something else, and when all is well again. */
export class Troubles {
  readonly #tell: (error: QuorateError | undefined) => void;
  readonly #known: Map<string, QuorateError> = new Map();
  #told: QuorateError | undefined;

  constructor(tell: (error: QuorateError | undefined) => void) {
    this.#tell = tell;
  }

  set(where: string, error: QuorateError): void {
    this.#known.set(where, error);
    if (this.#told?.code === error.code) return;
    this.#told = error;
    this.#tell(error);
  }

  clear(where: string): void {
    if (!this.#known.delete(where) || this.#known.size > 0) return;
    this.#told = undefined;
    this.#tell(undefined);
  }
}
