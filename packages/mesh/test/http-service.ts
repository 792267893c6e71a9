import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Ports } from '@quorate/testbed/peers';

/** A small HTTP server on loopback, gone with its block. */
export class HttpService implements AsyncDisposable {
  readonly #server: Server;
  /** How many requests came. */
  requests = 0;

  static async start(
    listener: RequestListener,
    { host = '127.0.0.1', port = 0 }: { readonly host?: string; readonly port?: number } = {},
  ): Promise<HttpService> {
    const service = new HttpService(listener);
    await once(service.#server.listen(port, host), 'listening');
    return service;
  }

  private constructor(listener: RequestListener) {
    this.#server = createServer((request, response) => {
      this.requests += 1;
      listener(request, response);
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    const { address, family, port } = this.#server.address() as AddressInfo;
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

const ports = new Ports();

/**
 * A free port that nobody else is given while this process lives, in whatever process: one that was free a moment ago may be
 * the local port of somebody's connection by the time that Envoy wants it.
 */
export function freePort(): Promise<number> {
  return ports.claim();
}

export async function codeOf(promise: PromiseLike<unknown>): Promise<unknown> {
  return promise.then(
    (value) => ({ resolved: value }),
    (error) => error.code,
  );
}
