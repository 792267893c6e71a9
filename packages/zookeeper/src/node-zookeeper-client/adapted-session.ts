import { InvalidArgumentError } from '@quorate/core';
import { callOut } from '../call-out.ts';
import { ServerError } from '../errors/server-error.ts';
import { SessionClosedError } from '../errors/session-closed-error.ts';
import { SessionLostError } from '../errors/session-lost-error.ts';
import { TransactionError } from '../errors/transaction-error.ts';
import { UnsupportedError } from '../errors/unsupported-error.ts';
import { Writer } from '../jute/writer.ts';
import { type Auth, credentialBytes } from '../options.ts';
import type { Operation } from '../protocol/operation.ts';
import { existsOperation } from '../protocol/reads.ts';
import { serverError } from '../protocol/server-errors.ts';
import { Liveness } from '../session/liveness.ts';
import { Request, type RequestOptions } from '../session/request.ts';
import type { SessionLike } from '../session/session-like.ts';
import { isOver, type State } from '../state.ts';
import { WatchRegistry } from '../watch/registry.ts';
import { call } from './calls.ts';
import type { NodeZookeeperClient } from './native.ts';

const maxRequestSize = 1_048_575;
/** Between a lost connection and the next attempt over it, in milliseconds. */
const pause = 50;
const connectionLoss = -4;
const sessionExpired = -112;
/** What that client calls its own state when it will connect no more. */
const nativeClosed = -2;

/**
 * The session of somebody else's client, watched from outside. That client neither notices a dead connection nor that
 * its session must be over, so both are judged here: by when a request was sent that has been answered.
 */
export class AdaptedSession implements SessionLike {
  readonly watches: WatchRegistry = new WatchRegistry(() => undefined);
  readonly readOnly = false;
  readonly #client: NodeZookeeperClient;
  readonly #liveness = new Liveness();
  readonly #pending = new Set<Request>();
  /** What only reads and was asked of a connection that is lost: for the next one. */
  readonly #again = new Set<Request>();
  readonly #lost = new AbortController();
  readonly #listeners = new Set<(state: State) => void>();
  #state: State = 'suspended';
  #refusal: Error | undefined;
  #closing: Promise<void> | undefined;
  /** Ends the wait for a server to confirm that the session is closed. */
  readonly #abandoned = Promise.withResolvers<void>();
  #probing = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(client: NodeZookeeperClient) {
    this.#client = client;
    client.on('state', this.#told);
    this.#told(client.getState());
  }

  get id(): bigint {
    return this.#client.getSessionId().readBigInt64BE(0);
  }

  get state(): State {
    this.#checkClock();
    return this.#state;
  }

  get timeout(): number {
    return this.#liveness.timeout;
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  listen(listener: (state: State) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  request<T>(operation: Operation<T>, options: RequestOptions<T> = {}): Promise<T> {
    this.#checkClock();
    if (this.#refusal) return Promise.reject(this.#refusal);
    if (options.signal?.aborted) return Promise.reject(options.signal.reason);
    const writer = new Writer();
    operation.encode(writer);
    if (writer.length + 8 > maxRequestSize) {
      const expected = `a request of at most ${maxRequestSize} bytes with its path`;
      return Promise.reject(new InvalidArgumentError('data', expected, writer.length + 8));
    }
    const request = new Request(operation, options) as Request;
    // Whether it was sent cannot be seen from here, so it always may have been.
    request.xid = 1;
    this.#pending.add(request);
    void this.#ask(request);
    return request.promise as Promise<T>;
  }

  /** Resolves before a server has seen them: that client does not tell. When they are refused the session is lost. */
  async addAuth(auth: Auth): Promise<void> {
    if (this.#refusal) throw this.#refusal;
    this.#client.addAuthInfo(auth.scheme, credentialBytes(auth));
  }

  close(): Promise<void> {
    this.#checkClock();
    this.#closing ??= this.#close();
    return this.#closing;
  }

  abandon(): void {
    this.#end('closed', new SessionClosedError());
    this.#abandoned.resolve();
    this.#cut();
  }

  async #close(): Promise<void> {
    if (isOver(this.#state)) return;
    const closed = new SessionClosedError();
    this.#refusal = closed;
    this.#lost.abort(closed);
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    const told = ({ name }: { readonly name: string }): void => {
      if (name === 'DISCONNECTED') resolve();
    };
    this.#client.on('state', told);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(resolve, Math.max(0, this.#liveness.lostAt - performance.now()));
    this.#client.close();
    await Promise.race([ended, this.#abandoned.promise]);
    this.#client.removeListener('state', told);
    this.#end('closed', closed);
    this.#cut();
  }

  async #ask(request: Request): Promise<void> {
    const sentAt = performance.now();
    const notify = (event: { type: number; path: string }): void => this.watches.notify(event);
    try {
      // Throws at once what that client cannot do: then nothing is sent, and no server answers.
      const calling = call(this.#client, request.operation, notify);
      this.#liveness.sent(sentAt);
      const value = await calling;
      this.#pending.delete(request);
      this.#liveness.answered(sentAt, performance.now());
      request.succeed(value);
    } catch (error) {
      const code = (error as { code?: unknown }).code;
      if (code === connectionLoss && !request.operation.writes && !this.#refusal) {
        this.#again.add(request);
        // It may say that it is connected for a moment longer than it is.
        if (this.#client.getState().name === 'SYNC_CONNECTED') setTimeout(() => this.#askAgain(), pause);
        return;
      }
      this.#pending.delete(request);
      if (code === connectionLoss && request.operation.writes) request.rejectAsAmbiguous(error);
      else if (code === sessionExpired) this.#lose('the server says that it has expired', error);
      else {
        if (!(error instanceof UnsupportedError)) this.#liveness.answered(sentAt, performance.now());
        request.fail(ours(error, code, request.operation));
      }
    }
  }

  #askAgain(): void {
    const again = [...this.#again];
    this.#again.clear();
    for (const request of again) if (!request.settled) void this.#ask(request);
  }

  readonly #told = ({ name }: { readonly name: string }): void => {
    if (this.#refusal) return;
    if (name === 'SYNC_CONNECTED') {
      void this.#prove();
      this.#askAgain();
    } else if (name === 'EXPIRED') this.#lose('the server says that it has expired');
    else if (name === 'AUTH_FAILED') this.#lose('the server refuses its credentials');
    else if (this.#state === 'connected') this.#become('suspended');
  };

  /** That it says it is connected proves nothing: an answer does. */
  async #prove(): Promise<void> {
    if (this.#probing) return;
    this.#probing = true;
    const sentAt = performance.now();
    try {
      await call(this.#client, existsOperation('/', false, '/'), undefined);
    } catch (error) {
      const { code } = error as { code?: unknown };
      if (code === connectionLoss || code === sessionExpired) return;
    } finally {
      this.#probing = false;
    }
    if (this.#refusal || this.#client.getState().name !== 'SYNC_CONNECTED') return;
    const timeout = this.#client.getSessionTimeout();
    if (this.#liveness.timeout === timeout) this.#liveness.answered(sentAt, performance.now());
    else this.#liveness.established(timeout, sentAt, true);
    this.#checkClock();
    if (this.#state === 'suspended') this.#become('connected');
    this.#arm();
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const { lostAt, suspendAt, pingAt } = this.#liveness;
    const due = this.#state === 'connected' ? Math.min(lostAt, suspendAt, pingAt) : lostAt;
    this.#timer = setTimeout(() => this.#tick(), Math.max(1, Math.ceil(due - performance.now())));
  }

  #tick(): void {
    this.#checkClock();
    if (isOver(this.#state)) return;
    const now = performance.now();
    if (this.#state === 'connected' && now >= this.#liveness.suspendAt) {
      this.#become('suspended');
      // It would sit on the dead connection for ever.
      this.#client.connectionManager?.socket?.destroy();
    } else if (this.#state === 'connected' && now >= this.#liveness.pingAt) {
      this.#liveness.sent(now);
      void this.#prove();
    }
    this.#arm();
  }

  #checkClock(): void {
    const { timeout, lostAt } = this.#liveness;
    if (timeout === 0 || this.#refusal || performance.now() < lostAt) return;
    this.#lose(`no server has answered within its timeout of ${timeout} ms`);
  }

  #lose(why: string, cause?: unknown): void {
    this.#end('lost', new SessionLostError(why, { cause }));
    // So that it does not come back by itself with a session nobody here believes in.
    this.#client.close();
    this.#cut();
  }

  /** A client that was told to close waits for ever on a dead connection, and keeps the process alive: also on its next one. */
  #cut(): void {
    const { connectionManager } = this.#client;
    if (!connectionManager?.socket || connectionManager.state === nativeClosed) return;
    connectionManager.socket.destroy();
    setTimeout(() => this.#cut(), pause).unref();
  }

  #end(state: 'lost' | 'closed', error: Error): void {
    if (isOver(this.#state)) return;
    clearTimeout(this.#timer);
    this.#refusal = error;
    this.#state = state;
    this.#lost.abort(error);
    for (const request of this.#pending) {
      if (request.operation.writes) request.rejectAsAmbiguous(error);
      else request.reject(error);
    }
    this.#pending.clear();
    this.#again.clear();
    this.watches.clear();
    this.#client.removeListener('state', this.#told);
    this.#become(state);
    this.#listeners.clear();
  }

  #become(state: State): void {
    this.#state = state;
    for (const listener of [...this.#listeners]) callOut(listener, state);
  }
}

function ours(error: unknown, code: unknown, operation: Operation<unknown>): Error {
  if (error instanceof ServerError || error instanceof TransactionError) return error;
  if (typeof code === 'number') return serverError(code, operation);
  return error as Error;
}
