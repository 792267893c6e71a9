import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * The till: somewhere to keep counters, that knows nothing of locks. `GET /<counter>` gives the number, `PUT` replaces it.
 * With `?token=` it fences: whoever comes with a smaller token than it has seen is a holder of the past, and is refused.
 */
export class Till implements AsyncDisposable {
  readonly #server: Server;
  readonly #numbers = new Map<string, string>();
  readonly #tokens = new Map<string, bigint>();

  /** `fences: false` is the sabotage: it takes the token and does not look at it. */
  static async open({ fences }: { readonly fences: boolean }): Promise<Till> {
    const till = new Till(fences);
    till.#server.listen(0, '127.0.0.1');
    await once(till.#server, 'listening');
    return till;
  }

  private constructor(fences: boolean) {
    this.#server = createServer(async (request, response) => {
      const { pathname: counter, searchParams } = new URL(request.url ?? '/', 'http://till');
      if (request.method !== 'PUT') return response.end(this.#numbers.get(counter) ?? '0');
      const number = (await request.toArray()).join('');
      const token = BigInt(searchParams.get('token') ?? 0);
      // This is all that fencing is.
      if (fences && token < (this.#tokens.get(counter) ?? 0n)) return response.writeHead(409).end();
      this.#tokens.set(counter, token);
      this.#numbers.set(counter, number);
      return response.end();
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
