import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

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
 * passes. `passing` is called for each connection.
 *
 *     await using relay = await Relay.to('127.0.0.1:6379', () => ({ answer: () => (lose ? 'cut' : 'pass') }));
 *     connect(relay.address);
 */
export class Relay implements AsyncDisposable {
  /** `127.0.0.1:40123`. */
  readonly address: string;
  readonly port: number;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;

  static async to(
    address: string,
    passing: () => Passing = () => ({}),
    { host = '127.0.0.1' }: RelayOptions = {},
  ): Promise<Relay> {
    const [target = '', port] = address.split(':');
    const sockets = new Set<Socket>();
    const server = createServer((near) => {
      const { question, answer = () => 'pass' } = passing();
      const far = connect(Number(port), target);
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(socket);
        socket
          .on('error', () => undefined)
          .on('close', () => {
            sockets.delete(socket);
            other.destroy();
          });
      }
      near.on('data', (bytes: Buffer) => {
        question?.(bytes);
        far.write(bytes);
      });
      far.on('data', (bytes: Buffer) => {
        const fate = answer(bytes);
        if (fate === 'pass') near.write(bytes);
        if (fate === 'cut') near.destroy();
      });
    });
    await once(server.listen(0, host), 'listening');
    return new Relay(server, sockets);
  }

  private constructor(server: Server, sockets: Set<Socket>) {
    const { address, family, port } = server.address() as AddressInfo;
    this.#server = server;
    this.#sockets = sockets;
    this.port = port;
    this.address = family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
  }

  /** Ends every connection, with what is held back on it. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.cut();
    await closed;
  }
}
