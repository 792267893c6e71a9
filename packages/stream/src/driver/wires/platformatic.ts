import { isIP } from 'node:net';
import type { Connection } from '@platformatic/kafka';
import type { ConnectionSettings } from '../settings.ts';
import type { Address, Wire, WireMaker, WireOptions, WireRequest } from '../wire.ts';
import { type BadFrameError, guardFrames } from './frames.ts';
import { plain, refusedLogin } from './platformatic-failure.ts';
import { login } from './platformatic-login.ts';

type Library = Pick<typeof import('@platformatic/kafka'), 'Connection' | 'Writer'> & Parameters<typeof login>[0];

/** The engine has limits of its own, at which it looks once more whether something has come. */
const noTimeout = 2 ** 31 - 1;

/** Connections of @platformatic/kafka. */
export function platformaticWires(library: Library): WireMaker {
  return {
    connect: (address, settings, options) => connect(library, address, settings, options),
    refusedLogin,
    plain,
  };
}

async function connect(
  library: Library,
  { host, port }: Address,
  { clientId, tls, sasl }: ConnectionSettings,
  { onClosed, signal }: WireOptions,
): Promise<Wire> {
  signal.throwIfAborted();
  let lifetime: number | undefined;
  const holds = (ms: number): void => {
    lifetime = ms;
  };
  const connection = new library.Connection(clientId, {
    connectTimeout: noTimeout,
    requestTimeout: noTimeout,
    maxInflights: Infinity,
    ...(tls && { tls }),
    // Certificates of hosted brokers need the name; an address must not stand there.
    ...(isIP(host) === 0 && !tls?.servername && { tlsServerName: true }),
    ...(sasl && { sasl: login(library, sasl, holds) }),
  });
  /** Of this the library says late, and to what is under way only that the connection is closed. */
  let broken: BadFrameError | undefined;
  const isBroken = (error: BadFrameError): void => {
    broken = error;
  };
  let isClosed = false;
  const close = (): void => {
    if (isClosed) return;
    isClosed = true;
    hangUp(connection);
    onClosed(broken);
  };
  // It tells of errors after it has failed, too: without a listener each would end the process.
  connection.on('error', close);
  connection.on('close', close);
  signal.addEventListener('abort', close, { once: true });
  try {
    const connected = connection.connect(host, port);
    // There from the first attempt on; nothing has come yet.
    if (connection.socket) guardFrames(connection.socket, isBroken);
    await connected;
    signal.throwIfAborted();
    return new PlatformaticWire(library, connection, { lifetime, close });
  } catch (error) {
    close();
    throw error;
  } finally {
    signal.removeEventListener('abort', close);
  }
}

class PlatformaticWire implements Wire {
  readonly lifetime: number | undefined;
  readonly close: () => void;
  readonly #library: Library;
  readonly #connection: Connection;

  constructor(library: Library, connection: Connection, { lifetime, close }: Pick<Wire, 'lifetime' | 'close'>) {
    this.lifetime = lifetime;
    this.#library = library;
    this.#connection = connection;
    this.close = close;
  }

  send({ key, version, body }: WireRequest): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#connection.send(
        key,
        version,
        () => this.#library.Writer.create().append(body),
        (_id, _key, _version, { buffer }) => buffer.slice(),
        false,
        false,
        (error, answer) => {
          if (answer) return resolve(answer);
          reject(error);
          this.close();
        },
      );
    });
  }
}

/** Its own close waits for what a broker that does not read would have to take first. */
function hangUp(connection: Connection): void {
  connection.close(() => {});
  connection.socket?.destroy();
}
