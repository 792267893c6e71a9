import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * The till: a store of counters that knows nothing of locks. `GET /<counter>` gives the number, `PUT` replaces it.
 * With `?token=` it fences: each read and each write raises the bar to its token, and a smaller token is refused.
 */
export class Till implements AsyncDisposable {
  readonly #server: Server;
  readonly #numbers = new Map<string, string>();
  readonly #largest = new Map<string, bigint>();
  readonly #fences: boolean;

  /** `fences: false` is the sabotage: it accepts the token and does not check it. */
  static async open({ fences }: { readonly fences: boolean }): Promise<Till> {
    const till = new Till(fences);
    till.#server.listen(0, '127.0.0.1');
    await once(till.#server, 'listening');
    return till;
  }

  private constructor(fences: boolean) {
    this.#fences = fences;
    this.#server = createServer(async (request, response) => {
      const { pathname: counter, searchParams } = new URL(request.url ?? '/', 'http://till');
      const number = (await request.toArray()).join('');
      // From here to the end nothing else happens in this process: the look at the token and the write are one step.
      if (!this.#admits(counter, searchParams.get('token'))) return response.writeHead(409).end();
      if (request.method !== 'PUT') return response.end(this.#numbers.get(counter) ?? '0');
      this.#numbers.set(counter, number);
      return response.end();
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** This is all that fencing is. */
  #admits(counter: string, shown: string | null): boolean {
    if (!this.#fences || shown === null) return true;
    const token = BigInt(shown);
    if (token < (this.#largest.get(counter) ?? 0n)) return false;
    this.#largest.set(counter, token);
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
