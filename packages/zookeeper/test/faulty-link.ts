import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export type Direction = 'up' | 'down';

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  /** How many bytes the client has been given. */
  down: number;
}

/** A stretch of network between a client and one server, that can be broken in the ways networks break. */
export class FaultyLink implements AsyncDisposable {
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  readonly #swallowing = new Set<Direction>();
  #target: { host: string; port: number };
  #cutAfter: number | undefined;
  #dripping = false;
  #refusing = false;
  /** Connections accepted so far. */
  accepted = 0;
  /** Called with each chunk on its way; what it returns goes on, or nothing. */
  filter: (direction: Direction, chunk: Buffer) => Buffer | undefined = (_, chunk) => chunk;

  static async to(address: string, host = '127.0.0.1'): Promise<FaultyLink> {
    const link = new FaultyLink(address);
    link.#server.listen(0, host);
    await once(link.#server, 'listening');
    return link;
  }

  private constructor(address: string) {
    const [host = '', port] = address.split(':');
    this.#target = { host, port: Number(port) };
    this.#server = createServer((client) => this.#accept(client));
  }

  get address(): string {
    const { address, family, port } = this.#server.address() as AddressInfo;
    return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
  }

  /** How many connections are open now. */
  get open(): number {
    return this.#pairs.size;
  }

  /** Bytes in these directions vanish, without anybody being told. */
  swallow(...directions: Direction[]): void {
    for (const direction of directions) this.#swallowing.add(direction);
  }

  /** The client is given so many bytes of its next connection, which is then reset. */
  cutNextAfter(bytes: number): void {
    this.#cutAfter = bytes;
  }

  /** One byte at a time from here on. */
  drip(): void {
    this.#dripping = true;
  }

  /** New connections are reset at once. */
  refuse(): void {
    this.#refusing = true;
    this.reset();
  }

  heal(): void {
    this.#swallowing.clear();
    this.#cutAfter = undefined;
    this.#dripping = false;
    this.#refusing = false;
    this.filter = (_, chunk) => chunk;
  }

  reset(): void {
    for (const { client, server } of this.#pairs) {
      client.resetAndDestroy();
      server.destroy();
    }
  }

  /** The server's side goes away; the client is not told. */
  halfOpen(): void {
    this.swallow('up', 'down');
    for (const { server } of this.#pairs) server.destroy();
  }

  redirect(address: string): void {
    const [host = '', port] = address.split(':');
    this.#target = { host, port: Number(port) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.reset();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(client: Socket): void {
    this.accepted += 1;
    if (this.#refusing) {
      client.resetAndDestroy();
      return;
    }
    const server = connect(this.#target);
    const pair: Pair = { client, server, down: 0 };
    const cutAfter = this.#cutAfter;
    this.#cutAfter = undefined;
    this.#pairs.add(pair);
    client.setNoDelay(true);
    server.setNoDelay(true);
    client.on('data', (chunk: Buffer) => this.#forward('up', server, chunk));
    server.on('data', (chunk: Buffer) => {
      if (cutAfter === undefined) return this.#forward('down', client, chunk);
      const left = cutAfter - pair.down;
      pair.down += chunk.length;
      this.#forward('down', client, chunk.subarray(0, left));
      // After what was let through has left: a reset would overtake it.
      if (pair.down >= cutAfter) client.end(() => client.resetAndDestroy());
    });
    const ended = (): void => {
      this.#pairs.delete(pair);
      if (this.#swallowing.size === 0) {
        client.destroy();
        server.destroy();
      }
    };
    for (const socket of [client, server]) socket.on('error', ended).on('close', ended);
  }

  #forward(direction: Direction, to: Socket, chunk: Buffer): void {
    if (this.#swallowing.has(direction) || to.destroyed || chunk.length === 0) return;
    const passed = this.filter(direction, chunk);
    if (!passed) return;
    if (this.#dripping) for (const byte of passed) to.write(Buffer.of(byte));
    else to.write(passed);
  }
}
