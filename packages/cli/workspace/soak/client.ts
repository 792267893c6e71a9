import { createRequire } from 'node:module';
import { deadline, isQuorateError, QuorateError } from '@quorate/core';

/** The part of node-zookeeper-client that the soak uses; the package has no types. */
interface Raw {
  once(event: 'connected' | 'disconnected' | 'expired', listener: () => void): void;
  connect(): void;
  close(): void;
  create(path: string, data: Buffer, done: (error: Error | null) => void): void;
  getData(path: string, done: (error: Error | null, data: Buffer, stat: Stat) => void): void;
  setData(path: string, data: Buffer, version: number, done: (error: Error | null, stat: Stat) => void): void;
  readonly connectionManager: { readonly socket?: { destroy(): void }; connect(): void };
}

interface Stat {
  readonly version: number;
  /** 8 bytes. */
  readonly mzxid: Buffer;
}

export interface Node {
  readonly value: number;
  readonly version: number;
  readonly mzxid: bigint;
}

const { createClient } = createRequire(import.meta.url)('node-zookeeper-client') as {
  createClient(url: string, options: { sessionTimeout: number; spinDelay: number }): Raw;
};

/** The server's word that nothing happened. Any other error leaves it open. */
const certain = ['BAD_VERSION', 'NO_NODE', 'NODE_EXISTS'];

/** How long the client may wait before it tries its servers once more, in milliseconds. */
const spinDelay = 100;

/** ZooKeeper said no. */
export class RefusedError extends QuorateError {
  readonly reason: string;

  constructor(reason: string) {
    super(`refused: ${reason}`, { code: 'refused' });
    this.reason = reason;
  }
}

/**
 * One session on one connection. node-zookeeper-client cannot be trusted with a second connection (half a frame of the
 * old one corrupts the handshake of the new) nor with noticing that a server is silent: so whoever sees an error that is
 * not a refusal closes this and opens another.
 */
export class SoakClient implements Disposable {
  readonly #raw: Raw;
  readonly #timeout: number;
  #lost = false;

  /** After the barrier, a write, the server that this session talks to knows all that any session was told before. */
  static async open(url: string, barrier: string, timeout: number): Promise<SoakClient> {
    const client = new SoakClient(url, timeout);
    try {
      await client.#ask<void>((done) => {
        client.#raw.once('connected', () => done(null));
        client.#raw.connect();
      });
      client.#raw.once('disconnected', () => client.close());
      client.#raw.once('expired', () => client.close());
      await client.create(barrier);
      await client.set(barrier, 0, -1);
      return client;
    } catch (error) {
      client.close();
      throw error;
    }
  }

  private constructor(url: string, timeout: number) {
    this.#raw = createClient(url, { sessionTimeout: 3_000, spinDelay });
    this.#timeout = timeout;
  }

  get lost(): boolean {
    return this.#lost;
  }

  async get(path: string): Promise<Node> {
    return await this.#ask((done) =>
      this.#raw.getData(path, (error, data, stat) => done(error, stat && node(Number(data), stat))),
    );
  }

  /** `version` -1: whatever it is. */
  async set(path: string, value: number, version: number): Promise<Node> {
    return await this.#ask((done) =>
      this.#raw.setData(path, Buffer.from(String(value)), version, (error, stat) =>
        done(error, stat && node(value, stat)),
      ),
    );
  }

  /** With 0 in it; one that is there already is as good. */
  async create(path: string): Promise<void> {
    try {
      await this.#ask<void>((done) => this.#raw.create(path, Buffer.from('0'), (error) => done(error)));
    } catch (error) {
      if (!(error instanceof RefusedError && error.reason === 'NODE_EXISTS')) throw error;
    }
  }

  close(): void {
    if (this.#lost) return;
    this.#lost = true;
    const { connectionManager } = this.#raw;
    // Closed from within its own event it would connect again all the same.
    connectionManager.connect = () => {};
    this.#raw.close();
    // It would wait for the answer of a server that may be cut off.
    const drop = (): void => connectionManager.socket?.destroy();
    drop();
    // It may have been about to try the next server, and cannot be told otherwise.
    setTimeout(drop, 2 * spinDelay).unref();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #ask<T>(send: (done: (error: Error | null, result?: T) => void) => void): Promise<T> {
    using limit = deadline(this.#timeout);
    try {
      return await new Promise<T>((resolve, reject) => {
        limit.signal.addEventListener('abort', () => reject(limit.signal.reason));
        send((error, result) => {
          if (!error) resolve(result as T);
          else reject(certain.includes(error.name) ? new RefusedError(error.name) : error);
        });
      });
    } catch (error) {
      if (!isQuorateError(error, 'refused')) this.close();
      throw error;
    }
  }
}

function node(value: number, { version, mzxid }: Stat): Node {
  return { value, version, mzxid: mzxid.readBigInt64BE() };
}
