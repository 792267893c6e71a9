import { RefusedError } from '../../errors/refused-error.ts';
import { StreamClosedError } from '../../errors/stream-closed-error.ts';
import type { ConnectionSettings } from '../settings.ts';
import type { Address, WireMaker } from '../wire.ts';
import { unreachable } from './failure.ts';
import { Line } from './line.ts';
import { until } from './persist.ts';
import { apiVersions } from './protocol/api-versions.ts';
import { Reader } from './protocol/reader.ts';
import type { Request } from './protocol/request.ts';
import { Writer } from './protocol/writer.ts';

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

interface Broker {
  readonly line: Line;
  readonly ready: Promise<Spoken>;
}

/**
 * One connection for each broker. A broker works on one request of a connection at a time: whoever waits long in a request
 * (fetch, join) has connections of its own.
 */
export class Connections {
  readonly #wires: WireMaker;
  readonly #settings: ConnectionSettings;
  readonly #requestTimeout: number;
  readonly #tellClosed: () => void;
  readonly #brokers: Map<string, Broker> = new Map();
  /** Also those on which nothing new is sent, and that wait for answers. */
  readonly #lines: Set<Line> = new Set();
  #closed = false;

  constructor(
    wires: WireMaker,
    settings: ConnectionSettings,
    { requestTimeout = settings.requestTimeout, closed = () => {} }: ConnectionsOptions = {},
  ) {
    this.#wires = wires;
    this.#settings = settings;
    this.#requestTimeout = requestTimeout;
    this.#tellClosed = closed;
  }

  /**
   * Resolves with what the broker answers, refusals of parts of it as well. Rejects with `Again` when there is no answer, with
   * an error when there will be none, and with the signal's reason.
   */
  async ask<Ask, Answer>(
    address: Address,
    request: Request<Ask, Answer>,
    ask: Ask,
    { what, signal, sent }: Asking,
  ): Promise<Answer> {
    signal.throwIfAborted();
    if (this.#closed) throw new StreamClosedError('the connection to Kafka');
    const { line, ready } = this.#broker(address);
    const none = (error: unknown): never => {
      throw unreachable(what, error, this.#wires);
    };
    const spoken = await until(ready.catch(none), signal);
    const range = spoken.get(request.key);
    if (!range || request.version < range.minVersion || request.version > range.maxVersion)
      throw new RefusedError(what, 'UNSUPPORTED_VERSION');
    sent?.();
    return await until(exchange(line, request, ask, this.#requestTimeout).catch(none), signal);
  }

  /** Whoever waits for an answer is told that there is none. */
  close(): void {
    this.#closed = true;
    for (const line of this.#lines) line.close();
    this.#brokers.clear();
    this.#tellClosed();
  }

  #broker(address: Address): Broker {
    const key = `${address.host}:${address.port}`;
    const known = this.#brokers.get(key);
    if (known) return known;
    const { connectTimeout } = this.#settings;
    const expiring = (): void => {
      if (this.#brokers.get(key) === broker) this.#brokers.delete(key);
    };
    const ended = (): void => {
      expiring();
      this.#lines.delete(line);
    };
    const line = new Line((options) => this.#wires.connect(address, this.#settings, options), {
      connectTimeout,
      expiring,
      ended,
    });
    this.#lines.add(line);
    const broker = { line, ready: spokenOn(line, connectTimeout) };
    broker.ready.catch(() => line.close());
    this.#brokers.set(key, broker);
    return broker;
  }
}

const client = { clientSoftwareName: 'quorate', clientSoftwareVersion: '1' } as const;

/** Asked first, and at once: who answers this is a broker, and one that speaks as we do. */
async function spokenOn(line: Line, within: number): Promise<Spoken> {
  const { apiKeys } = await exchange(line, apiVersions, client, within);
  return new Map(apiKeys.map(({ apiKey, ...range }) => [apiKey, range]));
}

async function exchange<Ask, Answer>(
  line: Line,
  { name, key, version, tagged, write, read }: Request<Ask, Answer>,
  ask: Ask,
  within: number,
): Promise<Answer> {
  const writer = new Writer();
  if (tagged.request) writer.noTags();
  write(writer, ask);
  const reader = new Reader(await line.send({ key, version, name, body: writer.finish() }, within));
  try {
    if (tagged.answer) reader.skipTags();
    return read(reader);
  } catch (error) {
    // What comes next on it makes no more sense.
    line.close('an answer that cannot be read');
    throw error;
  }
}
