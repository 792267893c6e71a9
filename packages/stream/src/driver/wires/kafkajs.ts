import type { Socket } from 'node:net';
import type * as kafkajs from 'kafkajs';
import type { ConnectionSettings } from '../settings.ts';
import type { Address, Wire, WireMaker, WireOptions, WireRequest } from '../wire.ts';
import { type BadFrameError, guardFrames } from './frames.ts';
import { connectionOf, type KafkajsConnection } from './kafkajs-connection.ts';
import { BrokenLogin, plain, refusedLogin } from './kafkajs-failure.ts';
import { login } from './kafkajs-login.ts';
import { socketTo } from './kafkajs-socket.ts';

type Library = Pick<typeof kafkajs, 'Kafka' | 'logLevel'>;

const noTimeout = 2 ** 31 - 1;

/** Connections of kafkajs. */
export function kafkajsWires(library: Library): WireMaker {
  return {
    connect: (address, settings, options) => connect(library, address, settings, options),
    refusedLogin,
    plain,
  };
}

async function connect(
  library: Library,
  address: Address,
  { clientId, tls, sasl }: ConnectionSettings,
  { onClosed, signal }: WireOptions,
): Promise<Wire> {
  signal.throwIfAborted();
  let socket: Socket | undefined;
  let broken: BadFrameError | undefined;
  const isBroken = (error: BadFrameError): void => {
    broken = error;
  };
  const client = new library.Kafka({
    clientId,
    brokers: [`${address.host}:${address.port}`],
    logLevel: library.logLevel.NOTHING,
    // The engine has limits of its own, at which it looks once more whether something has come.
    connectionTimeout: noTimeout,
    enforceRequestTimeout: false,
    socketFactory: ({ onConnect }) => {
      socket = socketTo(address, tls, onConnect);
      guardFrames(socket, isBroken);
      socket.once('close', () => onClosed(broken));
      return socket;
    },
    ...(sasl && { sasl: login(sasl) }),
  });
  // Without an error the package would not hear of it, and wait for answers.
  const close = (): void => void socket?.destroy(new Error('closed'));
  signal.addEventListener('abort', close, { once: true });
  try {
    const connection = await connectionOf(client, address);
    signal.throwIfAborted();
    await connection.connect();
    await connection.authenticate().catch((error: unknown) => {
      throw broken ?? (socket?.readable ? error : new BrokenLogin(error));
    });
    signal.throwIfAborted();
    // It would log in anew before every request in the last ten seconds of a login, and a broker refuses the second within one.
    connection.sasl = undefined;
    return new KafkajsWire(connection, close);
  } catch (error) {
    close();
    throw error;
  } finally {
    signal.removeEventListener('abort', close);
  }
}

class KafkajsWire implements Wire {
  readonly lifetime: number | undefined;
  readonly close: () => void;
  readonly #connection: KafkajsConnection;

  constructor(connection: KafkajsConnection, close: () => void) {
    this.lifetime = connection.sessionLifetime.toNumber() || undefined;
    this.#connection = connection;
    this.close = close;
  }

  async send({ key, version, name, body }: WireRequest): Promise<Buffer> {
    try {
      return await this.#connection.send({
        request: {
          apiKey: key,
          apiVersion: version,
          apiName: name,
          encode: async () => ({ buf: body, buffer: body }),
        },
        response: { decode: async (answer) => answer, parse: async (answer) => answer },
      });
    } catch (error) {
      this.close();
      throw error;
    }
  }
}
