import { createSocket, type Socket as Datagrams } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { PortTakenError } from '../processes/ports.ts';
import type { Link } from './link.ts';
import { reset } from './reset.ts';

/** A server that is known to its neighbours by one address, and listens at another one, which only we know. */
export interface Host {
  readonly name: string;
  /** Where the others reach it: `127.0.0.1`. */
  readonly known: string;
  /** Where it listens, and whence it calls. */
  readonly bound: string;
  /** Its port for calls. */
  readonly port: number;
  /** Its port for gossip, by UDP and by TCP. */
  readonly gossip: number;
}

/** One of the others. */
export interface Caller {
  readonly name: string;
  /** The address that it calls from. */
  readonly from: string;
  readonly link: Link;
}

/**
 * Where the others reach one server: calls and datagrams go on by the link of whoever sends them, who is known by the address
 * that they come from. Gossip by TCP comes from no particular address: it passes while every link of this server does.
 */
export class Reception {
  readonly #host: Host;
  readonly #callers: readonly Caller[];
  readonly #servers: Server[] = [];
  readonly #datagrams: Datagrams;
  readonly #sockets = new Set<Socket>();
  #closed = false;

  static async open(host: Host, callers: readonly Caller[]): Promise<Reception> {
    const reception = new Reception(host, callers);
    try {
      await reception.#listen(host.port, (socket) => reception.#call(socket));
      await reception.#listen(host.gossip, (socket) => reception.#gossip(socket));
      reception.#datagrams.bind({ address: host.known, port: host.gossip, exclusive: true });
      await once(reception.#datagrams, 'listening');
    } catch {
      reception.close();
      throw new PortTakenError(`the way to ${host.name}`, host.port);
    }
    return reception;
  }

  private constructor(host: Host, callers: readonly Caller[]) {
    this.#host = host;
    this.#callers = callers;
    this.#datagrams = createSocket('udp4').unref();
    // What cannot be delivered is lost, as datagrams are.
    this.#datagrams.on('error', () => {});
    this.#datagrams.on('message', (bytes, { address }) => {
      const caller = callers.find(({ from }) => from === address);
      const deliver = (): void => {
        // It may have been on its way for longer than the bed was there.
        if (!this.#closed) this.#datagrams.send(bytes, host.gossip, host.bound, () => {});
      };
      if (caller) caller.link.post(caller.name, deliver);
      else deliver();
    });
  }

  close(): void {
    this.#closed = true;
    for (const server of this.#servers) server.close();
    for (const socket of this.#sockets) socket.destroy();
    this.#datagrams.close();
  }

  async #listen(port: number, welcome: (socket: Socket) => void): Promise<void> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, welcome).unref();
    this.#servers.push(server);
    await once(server.listen(port, this.#host.known), 'listening');
  }

  #call(socket: Socket): void {
    const { name, bound, port } = this.#host;
    const caller = this.#callers.find(({ from }) => from === socket.remoteAddress);
    // It calls itself as well.
    if (!caller) this.#passOn(socket, port);
    else caller.link.carry(socket, { from: caller.name, to: name, port, host: bound });
  }

  #gossip(socket: Socket): void {
    if (this.#callers.some(({ link }) => link.isShut)) reset(socket);
    else this.#passOn(socket, this.#host.gossip);
  }

  #passOn(near: Socket, port: number): void {
    const far = connect({ host: this.#host.bound, port, allowHalfOpen: true });
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(socket.unref());
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroySoon();
      });
      socket.pipe(other);
    }
  }
}
