import { QuorateError } from '@quorate/core';

/** A counter in the till, as its clients see it: a number to read, and a number to write. There is no "add". */
export class Counter {
  readonly #url: URL;

  constructor(till: string, name: string) {
    this.#url = new URL(name, till);
  }

  /** With a token this is a read for update: from now on the till refuses every smaller token. */
  async read(token?: bigint, signal?: AbortSignal): Promise<number> {
    const response = await this.#ask(token, { signal: signal ?? null });
    return Number(await response.text());
  }

  /** With a token: only if the till has not seen a larger one. */
  async write(number: number, token?: bigint, signal?: AbortSignal): Promise<void> {
    await this.#ask(token, { method: 'PUT', body: String(number), signal: signal ?? null });
  }

  async #ask(token: bigint | undefined, init: RequestInit): Promise<Response> {
    const response = await fetch(new URL(token === undefined ? '' : `?token=${token}`, this.#url), init);
    if (response.status === 409) throw new StaleTokenError(token);
    return response;
  }
}

/** The till has seen a larger token: somebody else holds the lock by now. */
class StaleTokenError extends QuorateError {
  constructor(token: bigint | undefined) {
    super(`the till has seen a larger token than ${token}; acquire the lock again`, {
      code: 'stale-token',
      happened: 'no',
    });
  }
}
