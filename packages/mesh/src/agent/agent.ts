import { EventEmitter } from 'node:events';
import { Agent as Connections, type IncomingMessage } from 'node:http';
import { Agent as SecureConnections } from 'node:https';
import { AmbiguousError, deadline, doubtful, isQuorateError } from '@quorate/core';
import { requests } from '../diagnostics.ts';
import { MalformedReplyError } from '../errors/malformed-reply-error.ts';
import type { Settings } from '../options.ts';
import { boundReplies } from './bounded-transport.ts';
import { type CallOptions, type ConsulClient, consulClient } from './consul-package.ts';
import { type Asked, failure, isFiltered, leftOut, type PackageError } from './failure.ts';
import { json, type Shape, text } from './shape.ts';

export interface Ask {
  /** As it is called in errors and traces: `register query-1`. */
  readonly operation: string;
  readonly path: string;
  readonly signal?: AbortSignal | undefined;
  /** How long the answer may take, in milliseconds, when not as long as every other. */
  readonly timeout?: number;
  /** Whether asking twice does no harm, also when others write in between. */
  readonly repeatable?: boolean;
  /** Whether it changes something. Default: when it is not `repeatable`. */
  readonly writes?: boolean;
  /** Whether an answer from which something was left out, because of the token, is worth nothing. */
  readonly whole?: boolean;
  /** What a good answer looks like. Of what `call` reads it is an object or a list unless said otherwise. */
  readonly shape?: Shape;
  /** Nobody waits for the answer: it does not keep the process alive. */
  readonly background?: boolean;
}

/** An endpoint that the package does not have. */
export interface Call extends Ask {
  readonly method?: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: unknown;
}

export interface Answer<T> {
  readonly body: T;
  /** What a blocking query waits for to be exceeded; 0 where there is none. */
  readonly index: bigint;
  /** Of the few endpoints that block on what was, instead of on a number. */
  readonly hash: string | undefined;
}

/** What was last heard of the agent counts for so long, in milliseconds. */
const fresh = 5_000;

type Reply = readonly [IncomingMessage, unknown?];

/**
 * The local Consul agent. Everything goes through the HTTP client of the npm package `consul`; what it leaves out is added
 * here: signals, limits of time and size, typed errors, tracing.
 */
export class Agent {
  readonly address: string;
  /** Why the agent did not answer the last time; undefined when it did. */
  trouble: Error | undefined;
  readonly #client: ConsulClient;
  readonly #connections: Connections;
  readonly #settings: Settings;
  #heardAt = -Infinity;
  #lookedAt = -Infinity;

  constructor(settings: Settings) {
    this.address = settings.address;
    this.#settings = settings;
    this.#connections = new (settings.address.startsWith('https:') ? SecureConnections : Connections)({
      keepAlive: true,
    });
    this.#client = consulClient({
      agent: this.#connections,
      baseUrl: `${settings.address}/v1`,
      headers: settings.token === undefined ? {} : { 'x-consul-token': settings.token },
      ...settings.tls,
    });
    boundReplies(this.#client, settings.maxReplySize);
  }

  /** An endpoint that the package has. */
  ask<T>(ask: Ask, by: (client: ConsulClient, options: CallOptions) => Promise<Reply>): Promise<Answer<T>> {
    const { datacenter } = this.#settings;
    return this.#send(ask, (options) =>
      by(this.#client, { ...options, ...(datacenter !== undefined && { dc: datacenter }) }),
    );
  }

  /** An endpoint that it lacks. */
  call<T>({ method = 'GET', query, body, ...ask }: Call): Promise<Answer<T>> {
    const { datacenter } = this.#settings;
    const asked = { ...query, ...(datacenter !== undefined && { dc: datacenter }) };
    const present = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined));
    const repeatable = ask.repeatable ?? method === 'GET';
    return this.#send({ ...(method === 'GET' && { shape: json }), ...ask, repeatable }, (options) =>
      this.#client._request(
        {
          name: ask.operation,
          method,
          path: ask.path,
          query: present,
          ...(body !== undefined && { body, type: 'json' }),
          ...options,
        },
        (request, next) => {
          if (!request.err) return next(false, undefined, [request.res, request.res?.body]);
          next(false, Object.assign(request.err, { response: request.res }));
        },
      ),
    );
  }

  /** Asks whether it is there, when it was not heard of for a while: `trouble` will say. */
  look(): void {
    const now = performance.now();
    if (now - Math.max(this.#heardAt, this.#lookedAt) < fresh) return;
    this.#lookedAt = now;
    const ask = { operation: 'look for the agent', path: '/status/leader', shape: text, background: true };
    this.call(ask).catch(() => undefined);
  }

  /** Ends idle connections, and those in use once they are idle. */
  close(): void {
    const { freeSockets, sockets } = this.#connections;
    for (const idle of Object.values(freeSockets).flat()) idle?.destroy();
    for (const used of Object.values(sockets).flat()) used?.once('free', () => used.destroy());
  }

  async #send<T>(ask: Ask, by: (options: CallOptions) => Promise<Reply>): Promise<Answer<T>> {
    const { operation, path, repeatable = true, writes = !repeatable } = ask;
    const { address } = this;
    // Whoever traces sees what the traced function returns: answers hold keys and values, so they go another way.
    let answer: Answer<T> | undefined;
    const traced = async (): Promise<void> => {
      try {
        answer = await this.#once<T>(ask, by);
      } catch (error) {
        // An agent that was restarted has forgotten the idle connections we kept.
        if (!repeatable || !(isQuorateError(error) && isReset(error.cause))) throw error;
        // Whatever becomes of the second, the first may have been heard.
        if (ask.signal?.aborted) throw abandoned(ask);
        answer = await this.#once<T>(ask, by).catch((second) => {
          if (ask.signal?.aborted) throw abandoned(ask);
          throw writes && isQuorateError(second, 'agent-unreachable') ? error : doubtful(second, { idempotent: true });
        });
      }
    };
    await requests.tracePromise(traced, { operation, path, address });
    return answer as Answer<T>;
  }

  async #once<T>(ask: Ask, by: (options: CallOptions) => Promise<Reply>): Promise<Answer<T>> {
    const { signal, operation, timeout = this.#settings.timeout, repeatable = true, writes = !repeatable } = ask;
    signal?.throwIfAborted();
    const asked: Asked = {
      operation,
      address: this.address,
      writes,
      maxReplySize: this.#settings.maxReplySize,
      whole: ask.whole ?? false,
    };
    const { background = false, shape } = ask;
    const ctx = Object.assign(new EventEmitter(), { includeResponse: true, background, shape });
    // The package's own time-out would keep the process alive.
    using limit = deadline(timeout, signal);
    let sent = false;
    ctx.once('sent', () => {
      sent = true;
    });
    limit.signal.addEventListener('abort', () => void ctx.emit('cancel'), { once: true });
    try {
      const [response, body] = await by({ ctx, timeout: 0 });
      this.#heard(undefined);
      return answer<T>(response, body, asked);
    } catch (error) {
      if (signal?.aborted) throw sent ? abandoned(ask) : signal.reason;
      if (isQuorateError(error)) throw error;
      const failed = failure(error as PackageError, asked, limit.signal.aborted ? timeout : undefined);
      // Who refuses has answered.
      this.#heard((error as PackageError).response ? undefined : failed);
      throw failed;
    }
  }

  #heard(trouble: Error | undefined): void {
    this.trouble = trouble;
    this.#heardAt = performance.now();
  }
}

function answer<T>(response: IncomingMessage, body: unknown, { operation, address, whole }: Asked): Answer<T> {
  const { headers } = response;
  if (whole && isFiltered(response)) throw leftOut(operation);
  if (typeof body === 'string' && headers['content-type']?.startsWith('text/html')) {
    throw new MalformedReplyError(operation, address, 'a web page');
  }
  const index = headers['x-consul-index'];
  const hash = headers['x-consul-contenthash'];
  return {
    body: body as T,
    index: typeof index === 'string' && /^\d+$/.test(index) ? BigInt(index) : 0n,
    hash: typeof hash === 'string' ? hash : undefined,
  };
}

/** What a caller is told who stops waiting for what was sent: a write may be done all the same, whatever the reason says. */
function abandoned({ operation, signal, repeatable = true, writes = !repeatable }: Ask): unknown {
  if (!writes) return signal?.reason;
  const what = `${operation}: aborted after it was sent; it may or may not have been done`;
  return new AmbiguousError(what, { cause: signal?.reason });
}

function isReset(cause: unknown): boolean {
  return cause instanceof Error && (cause as NodeJS.ErrnoException).code === 'ECONNRESET';
}
