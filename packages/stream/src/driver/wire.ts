import type { ConnectionSettings } from './settings.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** A request as it leaves. Of its header the library writes what every request has, up to the name of the client. */
export interface WireRequest {
  readonly key: number;
  readonly version: number;
  /** By Kafka's name, for messages of errors. */
  readonly name: string;
  /** All that follows the client's name, where there are tagged fields of the header also those. */
  readonly body: Buffer;
}

/** One connection to one broker, logged in. Answers come in the order of the requests. */
export interface Wire {
  /**
   * For how many milliseconds from now its login holds; undefined: for as long as it is there. A broker that gets a request later
   * closes it. The library does not log in anew on it: requests that leave meanwhile would come between.
   */
  readonly lifetime: number | undefined;
  /**
   * Resolves with what follows the number of the request in the answer. It waits for as long as the connection is there. Rejects
   * with an error of the library when there is no answer; the connection is then of no more use.
   */
  send(request: WireRequest): Promise<Buffer>;
  /** Whatever is under way fails soon, and no timer is left. Idempotent. */
  close(): void;
}

export interface WireOptions {
  /** Called once, when the connection has ended, however that came, and with why where that is known; perhaps before it was there. */
  readonly onClosed: (why?: Error) => void;
  /** Ends the attempt to connect and to log in: nothing is left of it. */
  readonly signal: AbortSignal;
}

/**
 * What this package needs of a Kafka client: connections, and logins. Everything else, from requests to groups, is the engine's, and
 * so the same with each of them.
 */
export interface WireMaker {
  /** Connects and logs in, however long that takes. Rejects with an error of the library. */
  connect(address: Address, settings: ConnectionSettings, options: WireOptions): Promise<Wire>;
  /** Why the broker, or we, refused the connection for good (password, certificate, token); undefined for what may go better the next time. No secrets in it. */
  refusedLogin(error: unknown): string | undefined;
  /** The same error with nothing that may hold a secret or a message: for `cause`. */
  plain(error: unknown): Error | undefined;
}
