import { isIP, connect as netConnect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as tlsConnect } from 'node:tls';
import type { ISocketFactory } from 'kafkajs';
import type { ConnectionSettings } from '../settings.ts';
import { fetchAnswer } from './fetch-answer.ts';
import type { Connection, ConnectionPool, KafkajsCluster, ProtocolRequest } from './kafkajs-package.ts';

const produce = 0;
const fetch = 1;
const metadata = 3;
const joinGroup = 11;

/** Errors of requests of which nothing has left this process. */
const unsent = new WeakSet<object>();

/** Whether the request that failed with this error was surely never sent. */
export function neverSent(error: unknown): boolean {
  return typeof error === 'object' && error !== null && unsent.has(error);
}

const keepAliveDelay = 60_000;

/** The sockets of one cluster, so that none outlives it, and what has to be mended where the package uses them. */
export class Connections {
  onMemberId: (id: string) => void = () => {};
  readonly #sockets = new Map<Socket, string>();
  readonly #requestTimeout: number;
  #closed = false;

  constructor({ requestTimeout }: ConnectionSettings) {
    this.#requestTimeout = requestTimeout;
  }

  readonly factory: ISocketFactory = ({ host, port, ssl, onConnect }) => {
    const socket = ssl ? secure(host, { port, ...ssl }, onConnect) : netConnect({ host, port }, onConnect);
    socket.setKeepAlive(true, keepAliveDelay);
    // Requests leave in one piece each: waiting for more would only hold up the second of two.
    socket.setNoDelay(true);
    this.#sockets.set(socket, addressOf({ host, port }));
    socket.once('close', () => {
      this.#sockets.delete(socket);
      // The package lets go of a closed one with each request that fails: every time that would leave a listener for a connection that never comes.
      socket.unref = () => socket;
    });
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
        lookTwice(connection, this.#requestTimeout);
      }
      this.#watch(pool);
      const destroy = pool.destroy.bind(pool);
      // The package waits for answers first, also for those of a connection that nothing is wrong with.
      pool.destroy = () => {
        this.drop(pool, 'the connection is closed');
        return destroy();
      };
      return pool;
    };
  }

  /** Answers about many partitions come whole: the package would throw the first refusal in them, and forget the rest. */
  #reading({ request: { apiKey, apiVersion }, response }: ProtocolRequest): ProtocolRequest['response'] {
    const whole = async (decoded: unknown): Promise<unknown> => decoded;
    if (apiKey === fetch) return { decode: async (bytes) => fetchAnswer(bytes, apiVersion), parse: whole };
    if (apiKey === produce || apiKey === metadata) return { ...response, parse: whole };
    if (apiKey !== joinGroup) return response;
    const parse = async (decoded: unknown): Promise<unknown> => {
      const { memberId } = decoded as { readonly memberId?: string };
      if (memberId) this.onMemberId(memberId);
      return response.parse(decoded);
    };
    return { ...response, parse };
  }

  #watch(pool: ConnectionPool): void {
    const send = pool.send.bind(pool);
    pool.send = async (asked: ProtocolRequest) => {
      const { request } = asked;
      let sent = false;
      const encode = async (): ReturnType<typeof request.encode> => {
        const encoded = await request.encode();
        sent = true;
        return encoded;
      };
      try {
        return await send({
          ...asked,
          request: { ...request, encode },
          response: this.#reading(asked),
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

function secure(host: string, options: ConnectionOptions, onConnect: () => void): Socket {
  const socket = tlsConnect({ host, ...(isIP(host) === 0 && { servername: host }), ...options }, onConnect);
  let agreed = false;
  socket.once('secureConnect', () => {
    agreed = true;
  });
  // A check of the application says what it says, and nothing by which others would know it for one.
  socket.prependListener('error', (error: NodeJS.ErrnoException) => {
    if (!agreed) error.code ??= 'ERR_TLS_CERT_REFUSED';
  });
  return socket;
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

/**
 * The package looks at a clock whether an answer is late. When the process has stood still, answers may lie there unread: only what is
 * late at two looks is.
 */
function lookTwice({ requestQueue: queue }: Connection, requestTimeout: number): void {
  queue.scheduleRequestTimeoutCheck = () => {
    queue.destroy();
    let late = new Set<unknown>();
    const look = (): void => {
      const before = late;
      late = new Set();
      for (const request of [...queue.inflight.values()]) {
        if (Date.now() - request.sentAt <= request.requestTimeout) continue;
        if (before.has(request)) request.timeoutRequest();
        else late.add(request);
      }
      if (!queue.isConnected()) queue.destroy();
    };
    queue.requestTimeoutIntervalId = setInterval(look, Math.min(requestTimeout / 4, 100));
  };
}
