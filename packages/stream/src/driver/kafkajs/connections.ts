import { isIP, connect as netConnect, type Socket } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import type { ISocketFactory } from 'kafkajs';
import type { Connection, ConnectionPool, KafkajsCluster, ProtocolRequest } from './kafkajs-package.ts';

/** By API key: answers about many partitions, of which the package would throw the first refusal and forget the rest. */
const answersOfMany: ReadonlySet<number> = new Set([0 /* Produce */, 1 /* Fetch */, 3 /* Metadata */]);

/** Errors of requests of which nothing has left this process. */
const unsent = new WeakSet<object>();

/** Whether the request that failed with this error was surely never sent. */
export function neverSent(error: unknown): boolean {
  return typeof error === 'object' && error !== null && unsent.has(error);
}

const keepAliveDelay = 60_000;

/** The sockets of one cluster, so that none outlives it, and what has to be mended where the package uses them. */
export class Connections {
  readonly #sockets = new Map<Socket, string>();
  #closed = false;

  readonly factory: ISocketFactory = ({ host, port, ssl, onConnect }) => {
    const socket = ssl
      ? tlsConnect({ host, port, ...(isIP(host) === 0 && { servername: host }), ...ssl }, onConnect)
      : netConnect({ host, port }, onConnect);
    socket.setKeepAlive(true, keepAliveDelay);
    // Requests leave in one piece each: waiting for more would only hold up the second of two.
    socket.setNoDelay(true);
    this.#sockets.set(socket, addressOf({ host, port }));
    socket.once('close', () => this.#sockets.delete(socket));
    if (this.#closed) socket.destroy(new Error('closed'));
    return socket;
  };

  /** Whatever is under way with this broker fails at once; the next request connects anew. */
  drop(pool: Pick<ConnectionPool, 'host' | 'port'>, why: string): void {
    const address = addressOf(pool);
    for (const [socket, at] of this.#sockets) if (at === address) socket.destroy(new Error(why));
  }

  /** Resolves when every socket is closed; those made later are closed as they come. */
  async close(): Promise<void> {
    this.#closed = true;
    const closing = [...this.#sockets.keys()].map((socket) => {
      const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
      // Without an error the package would not hear of it, and wait for answers.
      socket.destroy(new Error('closed'));
      return closed;
    });
    await Promise.all(closing);
  }

  /** Mends every connection that the cluster makes from now on. */
  mend(cluster: KafkajsCluster): void {
    const builder = cluster.connectionPoolBuilder;
    const build = builder.build.bind(builder);
    builder.build = async (at) => {
      const pool = await build(at);
      for (const connection of pool.pool) {
        connectOnce(connection);
        waitOnlyWhenThrottled(connection);
      }
      this.#watch(pool);
      return pool;
    };
  }

  #watch(pool: ConnectionPool): void {
    const send = pool.send.bind(pool);
    pool.send = async (asked: ProtocolRequest) => {
      const { request, response } = asked;
      let sent = false;
      const encode = async (): ReturnType<typeof request.encode> => {
        const encoded = await request.encode();
        sent = true;
        return encoded;
      };
      const parse = async (decoded: unknown): Promise<unknown> => decoded;
      try {
        return await send({
          ...asked,
          request: { ...request, encode },
          ...(answersOfMany.has(request.apiKey) && { response: { ...response, parse } }),
        });
      } catch (error) {
        if (!sent && error instanceof Error) unsent.add(error);
        // A connection on which no answer comes counts as connected for the package: the next request would wait for as long.
        if (error instanceof Error && error.name === 'KafkaJSRequestTimeoutError') this.drop(pool, 'no answer in time');
        throw error;
      }
    };
  }
}

function addressOf({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host}:${port}`;
}

/** Two requests at once on a connection that is not there make the package connect twice, and forget one socket. */
function connectOnce(connection: Connection): void {
  const connect = connection.connect.bind(connection);
  let connecting: Promise<unknown> | undefined;
  connection.connect = () => {
    connecting ??= connect().finally(() => {
      connecting = undefined;
    });
    return connecting;
  };
}

/**
 * After every answer the package sets a timer, with a time that has long passed when nothing is throttled: Node.js warns of it
 * (TimeoutNegativeWarning), and each costs a turn of the event loop.
 */
function waitOnlyWhenThrottled({ requestQueue: queue }: Connection): void {
  queue.scheduleCheckPendingRequests = () => {
    if (queue.throttleCheckTimeoutId || queue.pending.length === 0) return;
    const left = queue.throttledUntil - Date.now();
    queue.throttleCheckTimeoutId = setTimeout(
      () => {
        queue.throttleCheckTimeoutId = null;
        queue.checkPendingRequests();
      },
      left > 0 ? left : 10,
    );
  };
}
