/** Calls off what was asked for so far, and nothing that is asked for later. */
export class Recall {
  #controller = new AbortController();

  /** For what is asked for now. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  callOff(reason?: unknown): void {
    const controller = this.#controller;
    this.#controller = new AbortController();
    controller.abort(reason);
  }
}
