import { deadline, isQuorateError, untilAborted } from '@quorate/core';
import { Client, type ClientOptions, Connection, type ConnectionOptions } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import { TemporalUnreachableError } from '../errors/temporal-unreachable-error.ts';
import { WorkflowsClosedError } from '../errors/workflows-closed-error.ts';
import type { TlsOptions, WorkflowsSettings } from '../workflows-options.ts';
import { type Asked, explained } from './explained.ts';
import { sharedRuntime } from './runtime.ts';

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

const renewEvery = 1_000;

/** The connection to the server: one for calls, and one for all workers. */
export class Channel {
  readonly settings: WorkflowsSettings;
  readonly client: Client;
  readonly #connection: Connection;
  readonly #closing = new AbortController();
  #native: Promise<NativeConnection> | undefined;
  #connected: NativeConnection | undefined;
  #renewing: NodeJS.Timeout | undefined;

  /** It connects with the first call. */
  constructor(settings: WorkflowsSettings, clientOptions: ClientOptions) {
    this.settings = settings;
    const { address, tls, apiKey, connectTimeout, namespace, identity } = settings;
    const options: ConnectionOptions = {
      address,
      tls: tlsOf(tls),
      connectTimeout,
      ...(apiKey !== undefined && { apiKey }),
    };
    this.#connection = Connection.lazy(options);
    this.client = new Client({
      ...clientOptions,
      connection: this.#connection,
      namespace,
      ...(identity !== undefined && { identity }),
    });
  }

  get isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Resolves when the server has answered. */
  async connect(signal?: AbortSignal): Promise<void> {
    const what = `connecting to ${this.settings.address}`;
    try {
      await this.#within(this.settings.connectTimeout, signal, () => this.#connection.ensureConnected());
    } catch (error) {
      signal?.throwIfAborted();
      const said = explained(error, { what, writes: false });
      throw isQuorateError(said, 'not-authorized') || isQuorateError(said, 'workflows-closed')
        ? said
        : new TemporalUnreachableError(what, { cause: error });
    }
  }

  /** Asks the server once, within `requestTimeout`. */
  async call<Result>(asked: Asked, work: () => Promise<Result>, { signal }: CallOptions = {}): Promise<Result> {
    signal?.throwIfAborted();
    try {
      return await this.#within(this.settings.requestTimeout, signal, work);
    } catch (error) {
      // A caller's own abort is told as what it is, where nothing can have been changed by then.
      if (signal?.aborted && !asked.writes) signal.throwIfAborted();
      throw explained(error, asked);
    }
  }

  /** Asks the server for something that comes when it comes. */
  async wait<Result>(work: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
    const both = AbortSignal.any([signal, this.#closing.signal]);
    both.throwIfAborted();
    return await this.#connection.withAbortSignal(both, work);
  }

  /** For workers, which have a connection of their own kind. */
  async native(signal: AbortSignal): Promise<NativeConnection> {
    if (this.isClosed) throw new WorkflowsClosedError();
    this.#native ??= this.#connectNative().catch((error: unknown) => {
      this.#native = undefined;
      throw error;
    });
    const { address, connectTimeout } = this.settings;
    using limit = deadline(connectTimeout, AbortSignal.any([signal, this.#closing.signal]));
    try {
      return await untilAborted(this.#native, limit.signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!isQuorateError(error, 'deadline-exceeded')) throw error;
      throw new TemporalUnreachableError(`connecting a worker to ${address}`, { cause: error });
    }
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.#closing.abort(new WorkflowsClosedError());
    clearInterval(this.#renewing);
    await this.#connection.close();
    // One that is still being made is closed when it is there.
    if (this.#connected === undefined) this.#native?.then((native) => native.close()).catch(() => {});
    else await this.#connected.close();
  }

  async #connectNative(): Promise<NativeConnection> {
    const { address, tls, apiKey } = this.settings;
    const { NativeConnection } = await sharedRuntime();
    const key = apiKey?.();
    let native: NativeConnection;
    try {
      native = await NativeConnection.connect({ address, tls: tlsOf(tls), ...(key !== undefined && { apiKey: key }) });
    } catch (error) {
      throw new TemporalUnreachableError(`connecting a worker to ${address}`, { cause: error });
    }
    if (!this.isClosed) this.#connected = native;
    if (apiKey !== undefined && !this.isClosed) this.#renewing = renewed(native, key, apiKey);
    return native;
  }

  async #within<Result>(ms: number, signal: AbortSignal | undefined, work: () => Promise<Result>): Promise<Result> {
    this.#closing.signal.throwIfAborted();
    const until = signal === undefined ? this.#closing.signal : AbortSignal.any([signal, this.#closing.signal]);
    using limit = deadline(ms, until);
    // Connecting does not listen to signals: it is left to itself.
    return await untilAborted(
      this.#connection.withAbortSignal(limit.signal, () => this.#connection.withDeadline(Date.now() + ms, work)),
      limit.signal,
    );
  }
}

/** A worker's connection does not ask for the key before each request: it is told. */
function renewed(native: NativeConnection, first: string | undefined, apiKey: () => string): NodeJS.Timeout {
  let told = first;
  const renew = async (): Promise<void> => {
    const key = apiKey();
    if (key === told) return;
    await native.setApiKey(key);
    told = key;
  };
  // What gives the key may fail for a while: the old one stays until then.
  return setInterval(() => void renew().catch(() => {}), renewEvery).unref();
}

function tlsOf(tls: true | TlsOptions | undefined): NonNullable<ConnectionOptions['tls']> {
  if (tls === undefined) return false;
  if (tls === true) return true;
  const { ca, cert, key, servername } = tls;
  return {
    ...(ca !== undefined && { serverRootCACertificate: Buffer.from(ca) }),
    ...(cert !== undefined &&
      key !== undefined && { clientCertPair: { crt: Buffer.from(cert), key: Buffer.from(key) } }),
    ...(servername !== undefined && { serverNameOverride: servername }),
  };
}
