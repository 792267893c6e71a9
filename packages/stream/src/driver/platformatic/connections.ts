import { isIP } from 'node:net';
import type { API, Connection, ConnectionOptions, SASLOptions } from '@platformatic/kafka';
import { deadline } from '@quorate/core';
import { RefusedError } from '../../errors/refused-error.ts';
import { StreamClosedError } from '../../errors/stream-closed-error.ts';
import type { ConnectionSettings, Sasl } from '../settings.ts';
import { unreachable } from './failure.ts';
import type { Library } from './library.ts';
import { until } from './persist.ts';
import type { Request, Requests } from './requests.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface Asking {
  /** For errors: `publish to "rides"`. */
  readonly what: string;
  readonly signal: AbortSignal;
  /** Called when the request is about to leave: from then on it may be heeded. */
  readonly sent?: () => void;
}

/** The versions of each request that a broker speaks, by its key. */
type Spoken = ReadonlyMap<number, { readonly minVersion: number; readonly maxVersion: number }>;

export interface ConnectionsOptions {
  /** How long an answer may take, in milliseconds. Default: as everywhere. */
  readonly requestTimeout?: number;
  /** Called when they are closed. */
  readonly closed?: () => void;
}

interface Line {
  readonly connection: Connection;
  readonly ready: Promise<Spoken>;
}

/**
 * One connection for each broker. A broker works on one request of a connection at a time: whoever waits long in a request
 * (fetch, join) has connections of its own.
 */
export class Connections {
  readonly requests: Requests;
  readonly #library: Library;
  readonly #clientId: string;
  readonly #options: ConnectionOptions;
  readonly #connectTimeout: number;
  readonly #tellClosed: () => void;
  readonly #lines: Map<string, Line> = new Map();
  #closed = false;

  constructor(
    library: Library,
    requests: Requests,
    settings: ConnectionSettings,
    { requestTimeout = settings.requestTimeout, closed = () => {} }: ConnectionsOptions = {},
  ) {
    const { clientId, connectTimeout, tls, sasl } = settings;
    this.#library = library;
    this.#connectTimeout = connectTimeout;
    this.#tellClosed = closed;
    this.requests = requests;
    this.#clientId = clientId;
    this.#options = {
      connectTimeout,
      requestTimeout,
      ...(tls && { tls }),
      ...(sasl && { sasl: login(library, sasl) }),
    };
  }

  /**
   * Resolves with what the broker answers, refusals of parts of it as well. Rejects with `Again` when there is no answer, with
   * an error when there will be none, and with the signal's reason.
   */
  async ask<Args extends unknown[], Answer>(
    address: Address,
    request: Request<Args, Answer>,
    args: Args,
    { what, signal, sent }: Asking,
  ): Promise<Answer> {
    signal.throwIfAborted();
    if (this.#closed) throw new StreamClosedError('the connection to Kafka');
    const { connection, ready } = this.#line(address);
    const spoken = await until(
      ready.catch((error: unknown) => {
        throw unreachable(what, error);
      }),
      signal,
    );
    const range = spoken.get(request.key);
    const api = request.versions.find(
      ({ version }) => range && range.minVersion <= version && version <= range.maxVersion,
    );
    if (!api) throw new RefusedError(what, 'UNSUPPORTED_VERSION');
    sent?.();
    return until(answerTo(connection, api, args, what), signal);
  }

  /** Kafka's name for the code of an answer. */
  reason(code: number): string {
    const names: Readonly<Record<number, string>> = this.#library.protocolErrorsCodesById;
    return names[code] ?? `error ${code}`;
  }

  /** Whoever waits for an answer is told that there is none. */
  close(): void {
    this.#closed = true;
    for (const { connection } of this.#lines.values()) hangUp(connection);
    this.#lines.clear();
    this.#tellClosed();
  }

  #line(address: Address): Line {
    const key = `${address.host}:${address.port}`;
    const known = this.#lines.get(key);
    if (known) return known;
    const connection = new this.#library.Connection(this.#clientId, {
      ...this.#options,
      // Certificates of hosted brokers need the name; an address must not stand there.
      ...(!isIP(address.host) && !this.#options.tls?.servername && { tlsServerName: true }),
    });
    const forget = (): void => {
      if (this.#lines.get(key)?.connection === connection) this.#lines.delete(key);
      hangUp(connection);
    };
    // It tells of errors after it has failed, too: without a listener each would end the process.
    connection.on('error', forget);
    // The timer of the next login would stay behind.
    connection.on('close', forget);
    const ready = this.#within(this.#connect(connection, address));
    ready.catch(forget);
    const line = { connection, ready };
    this.#lines.set(key, line);
    return line;
  }

  /** Its own limit is over when it is connected: a broker may stop to answer just then. */
  async #within(connecting: Promise<Spoken>): Promise<Spoken> {
    using limit = deadline(this.#connectTimeout);
    return await until(connecting, limit.signal);
  }

  async #connect(connection: Connection, { host, port }: Address): Promise<Spoken> {
    await connection.connect(host, port);
    const { clientSoftwareName, clientSoftwareVersion } = this.#library;
    const [api] = this.requests.versions.versions;
    if (!api) throw new RangeError('no version of ApiVersions');
    const { apiKeys } = await api.async(connection, clientSoftwareName, clientSoftwareVersion);
    return new Map(apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, { minVersion, maxVersion }]));
  }
}

function answerTo<Args extends unknown[], Answer>(
  connection: Connection,
  api: API<Args, Answer>,
  args: Args,
  what: string,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const answered = (error: Error | null, answer?: Answer): void => {
      // Of several parts one or more were refused: what became of the others is in there as well.
      const found = error ? (error as Error & { readonly response?: Answer }).response : answer;
      if (found === undefined) reject(unreachable(what, error));
      else resolve(found);
    };
    // Its type wants the arguments of a tuple that it does not know.
    (api as unknown as (connection: Connection, ...rest: unknown[]) => void)(connection, ...args, answered);
  });
}

/** Its own close waits for what a broker that does not read would have to take first. */
function hangUp(connection: Connection): void {
  connection.close(() => {});
  connection.socket?.destroy();
}

const mechanisms = {
  plain: 'PLAIN',
  'scram-sha-256': 'SCRAM-SHA-256',
  'scram-sha-512': 'SCRAM-SHA-512',
  oauthbearer: 'OAUTHBEARER',
} as const;

function login({ AuthenticationError }: Library, sasl: Sasl): SASLOptions {
  const mechanism = mechanisms[sasl.mechanism];
  if (sasl.mechanism === 'oauthbearer') {
    // A broker that refuses a token says so in what it sends, and waits for a last word before it calls it an error.
    const authBytesValidator: SASLOptions['authBytesValidator'] = (bytes, callback) => {
      if (bytes.length === 0) callback(null, bytes);
      else callback(new AuthenticationError('the token was refused'));
    };
    return { mechanism, token: sasl.token, authBytesValidator };
  }
  return { mechanism, username: sasl.username, password: sasl.password };
}
