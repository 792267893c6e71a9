import { createServer, type Server, type Socket } from 'node:net';
import { type Ports, PortTakenError } from '../processes/ports.ts';
import type { Link } from './link.ts';

/** Whom a server reaches at a port, and by which link. */
export interface Route {
  readonly to: string;
  readonly link: Link;
}

const [version, connectCommand, ipv4, domain] = [5, 1, 1, 3];

/**
 * Where one server of a bed sends its connections to the others: a SOCKS 5 proxy, which Java servers use without knowing.
 * So the addresses in their configuration stay the true ones, equal on every member, also after a reconfig.
 */
export class Gateway {
  readonly #from: string;
  readonly #routes: ReadonlyMap<number, Route>;
  readonly #server: Server;
  readonly #asking = new Set<Socket>();

  /** Listens on loopback and gives the port. `routes` is by the port that is asked for. */
  static async open(
    ports: Ports,
    from: string,
    routes: ReadonlyMap<number, Route>,
  ): Promise<{ readonly gateway: Gateway; readonly port: number }> {
    const port = await ports.claim();
    const gateway = new Gateway(from, routes);
    await new Promise<void>((done, fail) => {
      gateway.#server.once('error', () => fail(new PortTakenError(`the gateway of ${from}`, port)));
      gateway.#server.listen(port, '127.0.0.1', done);
    });
    return { gateway, port };
  }

  private constructor(from: string, routes: ReadonlyMap<number, Route>) {
    this.#from = from;
    this.#routes = routes;
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#greet(socket)).unref();
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#asking) socket.destroy();
  }

  /** Reads who is wanted, a few bytes, then hands the connection to the link. */
  #greet(socket: Socket): void {
    let heard = Buffer.alloc(0);
    let greeted = false;
    this.#asking.add(socket.unref());
    const leave = (): void => void this.#asking.delete(socket);
    const listen = (bytes: Buffer): void => {
      heard = Buffer.concat([heard, bytes]);
      if (!greeted && heard.length >= 2 && heard.length >= 2 + (heard[1] ?? 0)) {
        greeted = true;
        heard = heard.subarray(2 + (heard[1] ?? 0));
        socket.write(Buffer.from([version, 0]));
      }
      const port = greeted ? wantedPort(heard) : undefined;
      if (port === undefined) return;
      socket.pause();
      socket.off('data', listen).off('close', leave).off('error', leave);
      leave();
      const route = this.#routes.get(port);
      if (!route) return void socket.end(reply(false));
      const answer = (reached: boolean): void => {
        if (reached) socket.write(reply(true));
        else socket.end(reply(false), () => socket.destroy());
      };
      route.link.carry(socket, { from: this.#from, to: route.to, port, answer });
    };
    socket.on('data', listen).on('close', leave).on('error', leave);
  }
}

/** The port of a SOCKS request, once all of it is there; 0 when it is none that we know. */
function wantedPort(request: Buffer): number | undefined {
  if (request.length < 5) return undefined;
  const kind = request[3];
  const at = kind === ipv4 ? 8 : kind === domain ? 5 + (request[4] ?? 0) : 20;
  if (request.length < at + 2) return undefined;
  return request[0] === version && request[1] === connectCommand ? request.readUInt16BE(at) : 0;
}

/** "Succeeded", or "connection refused". */
function reply(reached: boolean): Buffer {
  return Buffer.from([version, reached ? 0 : 5, 0, ipv4, 127, 0, 0, 1, 0, 0]);
}
