import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { InvalidArgumentError } from '@quorate/core';

/** What is done with what passes over one connection. */
export interface Passing {
  /** Called with what the client sends, before it is passed on. */
  readonly question?: (bytes: Buffer) => void;
  /** What becomes of what the server sends: passed on, held back for good, or lost together with its connection. */
  readonly answer?: (bytes: Buffer) => 'pass' | 'hold' | 'cut';
}

export interface RelayOptions {
  /** Where it listens. Default `127.0.0.1`; `::1` for a client that is to come by IPv6. */
  readonly host?: string;
}

/**
 * Passes on what a client and a server send, and shows it, so that one answer can be lost: a link does not look at what
 * passes. `passing` is called for each connection. An error that it throws, or one of its functions, ends the connection;
 * the first such error rejects the relay's disposal.
 *
 *     await using relay = await Relay.to('127.0.0.1:6379', () => ({ answer: () => (lose ? 'cut' : 'pass') }));
 *     connect(relay.address);
 */
export class Relay implements AsyncDisposable {
  /** `127.0.0.1:40123`. */
  readonly address: string;
  readonly port: number;
  readonly #target: Target;
  readonly #passing: () => Passing;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #failure: { readonly error: unknown } | undefined;
  #disposed: Promise<void> | undefined;

  /** `address` is `host:port`, or `[host]:port` for IPv6. */
  static async to(
    address: string,
    passing: () => Passing = () => ({}),
    { host = '127.0.0.1' }: RelayOptions = {},
  ): Promise<Relay> {
    const target = parseAddress(address);
    const server = createServer({ allowHalfOpen: true });
    await once(server.listen(0, host), 'listening');
    return new Relay(server, target, passing);
  }

  private constructor(server: Server, target: Target, passing: () => Passing) {
    const { address, family, port } = server.address() as AddressInfo;
    this.#server = server.on('connection', (near) => this.#relay(near));
    this.#target = target;
    this.#passing = passing;
    this.port = port;
    this.address = family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
  }

  /** Ends every connection, with what is held back on it. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Ends every connection, and is rejected with the first error that `passing` threw. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#close();
    return this.#disposed;
  }

  async #close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.cut();
    await closed;
    if (this.#failure) throw this.#failure.error;
  }

  #relay(near: Socket): void {
    this.#watch(near);
    this.#guarded(near, () => {
      const { question, answer = () => 'pass' } = this.#passing();
      const far = connect({ ...this.#target, allowHalfOpen: true });
      this.#watch(far);
      this.#passOn(near, far, (bytes) => {
        question?.(bytes);
        return 'pass';
      });
      this.#passOn(far, near, answer);
    });
  }

  #watch(socket: Socket): void {
    this.#sockets.add(socket);
    // What follows from an error follows from the end of the socket as well.
    socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket));
  }

  /** One way: no faster than it is read at the other end, and an end of it does not end the way back. */
  #passOn(from: Socket, to: Socket, fateOf: (bytes: Buffer) => 'pass' | 'hold' | 'cut'): void {
    let held = false;
    from
      .on('data', (bytes: Buffer) =>
        this.#guarded(from, () => {
          const fate = fateOf(bytes);
          held ||= fate === 'hold';
          if (fate === 'cut') from.destroy();
          if (fate === 'pass' && !to.write(bytes)) from.pause();
        }),
      )
      // An end comes after all that was sent: where some of that is held back, so is the end.
      .on('end', () => !held && to.end())
      // What was sent before an orderly end still arrives; an abrupt end leaves nothing.
      .on('close', () => {
        if (!from.readableEnded) to.destroy();
        else if (!held) to.destroySoon();
      });
    to.on('drain', () => from.resume());
  }

  /** An error of the owner's ends the connection that it met, no other one. */
  #guarded(socket: Socket, action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#failure ??= { error };
      socket.destroy();
    }
  }
}

interface Target {
  readonly host: string;
  readonly port: number;
}

function parseAddress(address: unknown): Target {
  const [, inner, outer, digits] = /^(?:\[([^\]/]+)\]|([^:[\]/\s]+)):(\d{1,5})$/.exec(String(address)) ?? [];
  const host = inner ?? outer;
  const port = Number(digits);
  if (host === undefined || !(port >= 1 && port <= 65_535))
    throw new InvalidArgumentError('address', 'host:port, or [host]:port for IPv6', address);
  return { host, port };
}
