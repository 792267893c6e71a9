import type { EventEmitter } from 'node:events';
import type { Agent, ClientRequest, IncomingMessage } from 'node:http';
import type { ConnectionOptions } from 'node:tls';
import Consul from 'consul';
import type { Shape } from './shape.ts';

/** What every method of the package takes besides its own options, and the types of the package leave out. */
export interface CallOptions {
  readonly ctx: unknown;
  readonly timeout: number;
  readonly dc?: string;
}

/** With `includeResponse` in its context, a call gives the response before the body. */
type Reply = Promise<readonly [IncomingMessage, unknown?]>;
type Method = (options: CallOptions & Readonly<Record<string, unknown>>) => Reply;

/** What is used of the package, as it is: its own types know neither contexts nor time-outs. */
export interface ConsulClient {
  readonly agent: {
    self: Method;
    readonly service: { deregister: Method; maintenance: Method; list: Method };
    readonly check: { pass: Method; warn: Method; fail: Method };
  };
  readonly catalog: { readonly service: { list: Method } };
  readonly health: { service: Method };
  readonly kv: { get: Method; set: Method; del: Method; keys: Method };
  readonly session: { create: Method; destroy: Method; renew: Method };
  _request(options: object, finish: Finish): Reply;
  _ext(event: 'onRequest' | 'onResponse', extension: Finish): void;
}

/** A request of the package on its way through its pipeline. */
interface Pending {
  readonly opts: { readonly ctx?: EventEmitter & { readonly background?: boolean; readonly shape?: Shape } };
  transport: { request(options: { readonly hostname?: string }): ClientRequest };
  readonly err?: Error;
  readonly res?: IncomingMessage & { body?: unknown };
}

type Finish = (request: Pending, next: (error?: unknown, value?: unknown, result?: unknown) => void) => void;

interface ClientOptions extends Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'servername' | 'rejectUnauthorized'> {
  readonly baseUrl: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Its connections. */
  readonly agent: Agent;
}

export function consulClient(options: ClientOptions): ConsulClient {
  const Client = Consul as unknown as new (options: ClientOptions) => ConsulClient;
  return new Client(options);
}
