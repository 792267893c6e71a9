import type { Socket } from 'node:net';
import type { ConnectionOptions as TlsConnectionOptions } from 'node:tls';
import { serverName } from '../connect-string.ts';
import { ConnectionLostError } from '../errors/connection-lost-error.ts';
import { Reader } from '../jute/reader.ts';
import { Writer } from '../jute/writer.ts';
import { Frames } from '../protocol/frames.ts';
import {
  type ConnectReply,
  type ConnectRequest,
  readConnectReply,
  writeConnectRequest,
} from '../protocol/handshake.ts';
import { askServer } from './ask-server.ts';
import { ServerVersion } from './server-version.ts';
import { onceOpen, openSocket, type Target } from './socket.ts';

export interface OpenOptions {
  readonly request: ConnectRequest;
  readonly tls: TlsConnectionOptions | undefined;
  /** For all of TCP, TLS and the handshake: a server that accepts and says nothing must not hold us up. */
  readonly timeout: number;
  /** For what the server says of its version: a session that has watches waits for it before it is connected again. */
  readonly versionTimeout: number;
  readonly maxReplySize: number;
  /** Of the server, where its user has said it. */
  readonly serverVersion: string | undefined;
  readonly signal: AbortSignal;
}

export interface ConnectionEvents {
  frame(reader: Reader): void;
  tooLarge(size: number, xid: number): void;
  drain(): void;
}

/** More than this unsent, and requests wait here instead: what waits here is known not to have been sent. */
const congestedAt = 1024 * 1024;

/** One connection to one server, after its handshake. It ends once, for one reason, and is then of no use. */
export class Connection {
  readonly server: string;
  readonly version: ServerVersion;
  readonly address: string;
  /** Resolves with the reason when the connection has ended. */
  readonly ended: Promise<ConnectionLostError>;
  events: ConnectionEvents | undefined;
  readonly #socket: Socket;
  readonly #frames: Frames;
  #end: (error: ConnectionLostError) => void = () => undefined;

  /** Resolves with the connection and what the server answered, or rejects with nothing left open. */
  static async open(
    target: Target,
    { request, tls, timeout, versionTimeout, maxReplySize, serverVersion, signal }: OpenOptions,
  ): Promise<{ connection: Connection; reply: ConnectReply; sentAt: number }> {
    signal.throwIfAborted();
    const name = serverName(target.server);
    const socket = openSocket(target, tls);
    const ask = (signal: AbortSignal): Promise<string> => askServer(target, tls, signal);
    const version = new ServerVersion(name, { ask, timeout: versionTimeout, known: serverVersion });
    const connection = new Connection(target, version, socket, maxReplySize);
    const aborted = (): void => connection.destroy('the attempt was aborted', signal.reason);
    const timer = setTimeout(() => connection.destroy(`no session within ${Math.round(timeout)} ms`), timeout);
    signal.addEventListener('abort', aborted, { once: true });
    try {
      return await new Promise((resolve, reject) => {
        let sentAt = 0;
        connection.ended.then(reject);
        onceOpen(socket, () => {
          sentAt = performance.now();
          const writer = new Writer(128);
          writeConnectRequest(writer, request);
          connection.write(writer.take());
        });
        connection.events = {
          frame: (reader) => {
            const reply = readConnectReply(reader);
            // A server says nothing unasked, so nothing is missed until the session takes over.
            connection.events = undefined;
            resolve({ connection, reply, sentAt });
            socket.pause();
          },
          tooLarge: (size) => connection.destroy(`answered the handshake with a frame of ${size} bytes`),
          drain: () => undefined,
        };
      });
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', aborted);
    }
  }

  private constructor({ server, address }: Target, version: ServerVersion, socket: Socket, maxReplySize: number) {
    this.server = serverName(server);
    this.address = address;
    this.version = version;
    this.#socket = socket;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#frames = new Frames(
      maxReplySize,
      (buffer, start, end) => this.events?.frame(new Reader(buffer, start, end)),
      (size, xid) => this.events?.tooLarge(size, xid),
    );
    socket.on('data', (chunk: Buffer) => this.#received(chunk));
    socket.on('drain', () => this.events?.drain());
    socket.on('error', (error) => this.destroy(`the connection failed (${error.message})`, error));
    socket.on('close', () => this.destroy('the server closed the connection'));
  }

  get congested(): boolean {
    return this.#socket.writableLength > congestedAt;
  }

  /** Hands what arrives to `events`, from now on. */
  start(events: ConnectionEvents): void {
    this.events = events;
    this.#socket.resume();
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  destroy(why: string, cause?: unknown): void {
    this.#frames.stop();
    this.events = undefined;
    this.version.end();
    this.#socket.destroy();
    this.#end(new ConnectionLostError(this.server, why, { cause }));
  }

  #received(chunk: Buffer): void {
    try {
      this.#frames.push(chunk);
    } catch (error) {
      this.destroy(error instanceof Error ? error.message : 'sent what could not be read', error);
    }
  }
}
