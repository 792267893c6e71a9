import { QuorateError } from '@quorate/core';

/** A counter in the till, as its clients see it: a number to read, and a number to write. There is no "add". */
export class Counter {
  readonly #url: URL;

  constructor(till: string, name: string) {
    this.#url = new URL(name, till);
  }

  async read(signal?: AbortSignal): Promise<number> {
    const response = await fetch(this.#url, { signal: signal ?? null });
    return Number(await response.text());
  }

  /** With a token: only if nobody has come with a larger one. */
  async write(number: number, token?: bigint, signal?: AbortSignal): Promise<void> {
    const url = new URL(token === undefined ? '' : `?token=${token}`, this.#url);
    const response = await fetch(url, { method: 'PUT', body: String(number), signal: signal ?? null });
    if (response.status === 409) throw new StaleTokenError(token);
  }
}

/** The till has seen a larger token: somebody else holds the lock by now. */
class StaleTokenError extends QuorateError {
  constructor(token: bigint | undefined) {
    super(`token ${token} is of the past; acquire the lock again`, { code: 'stale-token', happened: 'no' });
  }
}
