import { InvalidArgumentError } from '@quorate/core';
import { callOut } from '../call-out.ts';
import { configPath } from '../config.ts';
import { requests as requestChannel, stateChanges, watchesFired } from '../diagnostics.ts';
import { ConnectionLostError } from '../errors/connection-lost-error.ts';
import { SessionClosedError } from '../errors/session-closed-error.ts';
import { SessionLostError } from '../errors/session-lost-error.ts';
import { UnsupportedError } from '../errors/unsupported-error.ts';
import type { Operation } from '../protocol/operation.ts';
import { closeOperation, removeWatchesOperation } from '../protocol/reads.ts';
import type { WatchNotification } from '../protocol/watch-event.ts';
import { Request, type RequestOptions } from '../session/request.ts';
import { Requests } from '../session/requests.ts';
import type { SessionLike } from '../session/session-like.ts';
import { isOver, type State } from '../state.ts';
import { WatchRegistry } from '../watch/registry.ts';
import { type Answer, answerOf, errorOf } from './answer.ts';
import { type Question, questionOf } from './question.ts';

const maxRequestSize = 1_048_575;
const unsupported = 'servers in the same process do not support it; use connect()';

/** What a session in this process has in place of servers. */
export interface Servers {
  readonly id: bigint;
  readonly sessionTimeout: number;
  /** Takes a question; `answered` is to be called later, in the order of the questions, unless the connection is cut first. */
  ask(question: Question, answered: (answer: Answer) => void): void;
  /** The session ends without a connection to say so over. Resolves when they have ended it. */
  end(): Promise<void>;
}

/** A session whose servers are in the same process. No time passes for it: it is cut off, connected and lost when told. */
export class InProcessSession implements SessionLike {
  readonly readOnly = false;
  readonly watches: WatchRegistry = new WatchRegistry((path) => this.#removeWatches(path));
  readonly #servers: Servers;
  readonly #requests = new Requests();
  readonly #questions = new WeakMap<Request, Question>();
  readonly #lost = new AbortController();
  readonly #listeners = new Set<(state: State) => void>();
  #state: State = 'connected';
  /** Which connection this is: the answers of an earlier one are not heard any more. */
  #connection = 1;
  /** Whether it takes requests. From its end on it does not, also while those that were under way are told. */
  #attached = true;
  #reconnecting = false;
  #xid = 0;
  #lastZxid = 0n;
  #refusal: Error | undefined;
  #closing: Promise<void> | undefined;

  constructor(servers: Servers) {
    this.#servers = servers;
  }

  get id(): bigint {
    return this.#servers.id;
  }

  get timeout(): number {
    return this.#servers.sessionTimeout;
  }

  get state(): State {
    return this.#state;
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  listen(listener: (state: State) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  request<T>(operation: Operation<T>, options: RequestOptions<T> = {}): Promise<T> {
    if (this.#refusal) return Promise.reject(this.#refusal);
    if (options.signal?.aborted) return Promise.reject(options.signal.reason);
    if (!requestChannel.hasSubscribers) return this.#submit(operation, options);
    const { operation: name, path } = operation;
    const traced = { operation: name, path, sessionId: this.id, server: undefined };
    return requestChannel.tracePromise(() => this.#submit(operation, options), traced);
  }

  async addAuth(): Promise<void> {
    throw new UnsupportedError('addAuth', unsupported);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  abandon(): void {
    this.#end('closed', new SessionClosedError());
  }

  /** The servers tell that a watch has fired. */
  notified(notification: WatchNotification): void {
    if (!this.#attached && !this.#reconnecting) return;
    if (watchesFired.hasSubscribers) watchesFired.publish({ sessionId: this.id, ...notification });
    this.watches.notify(notification);
  }

  /** The connection is cut. What was asked and not answered may have happened. */
  disconnected(): void {
    if (isOver(this.#state)) return;
    this.#connection += 1;
    this.#attached = false;
    this.#reconnecting = false;
    this.#requests.connectionLost(new ConnectionLostError('this process', 'the connection was cut'));
    if (this.#state === 'connected') this.#become('suspended');
    if (this.#refusal) this.#requests.rejectAll(this.#refusal);
  }

  /** There is a connection again: asks for the watches of the one before, and then what waits. */
  reconnected(): void {
    if (this.#state !== 'suspended' || this.#reconnecting) return;
    this.#reconnecting = true;
    this.#ask({ kind: 'replaceWatches', since: this.#lastZxid, watches: this.watches.placed() }, () => {
      this.#reconnecting = false;
      this.#become('connected');
      this.watches.replaced();
      this.#attached = true;
      for (let request = this.#requests.next(); request; request = this.#requests.next()) this.#send(request);
    });
  }

  /** The session's time is up. */
  expired(): void {
    this.#end('lost', new SessionLostError('it has expired'));
  }

  #submit<T>(operation: Operation<T>, options: RequestOptions<T>): Promise<T> {
    const request = new Request(operation, options) as Request;
    try {
      const { question, size } = questionOf(operation);
      if ('path' in question && question.path === configPath) throw new UnsupportedError('config', unsupported);
      if (size > maxRequestSize) {
        throw new InvalidArgumentError('data', `a request of at most ${maxRequestSize} bytes with its path`, size);
      }
      this.#questions.set(request, question);
      if (this.#attached && !this.#requests.hasWaiting) this.#send(request);
      else this.#requests.wait(request);
    } catch (error) {
      request.reject(error);
    }
    return request.promise as Promise<T>;
  }

  #send(request: Request): void {
    const question = this.#questions.get(request) as Question;
    this.#xid += 1;
    request.xid = this.#xid;
    this.#requests.sent(request);
    this.#ask(question, (answer) => {
      this.#requests.answered(request.xid);
      if ('value' in answer) request.succeed(answerOf(question, answer.value));
      else request.fail(errorOf(question, request.operation.operation, answer.refusal));
    });
  }

  #ask(question: Question, answered: (answer: Answer) => void): void {
    const connection = this.#connection;
    this.#servers.ask(question, (answer) => {
      if (connection !== this.#connection || isOver(this.#state)) return;
      this.#lastZxid = answer.zxid;
      answered(answer);
    });
  }

  async #close(): Promise<void> {
    if (isOver(this.#state)) return;
    const closed = new SessionClosedError();
    this.#refusal = closed;
    // Before the servers are told: nobody may rely on the session from here on.
    this.#lost.abort(closed);
    this.#requests.rejectWaiting(closed);
    // Cut off, nobody can be told. Elsewhere the session is over when its time is up, and here no time passes.
    if (this.#state === 'connected') await this.#submit(closeOperation(), {}).catch(() => undefined);
    if (this.#state === 'suspended') await this.#servers.end();
    this.#end('closed', closed);
  }

  #end(state: 'lost' | 'closed', error: Error): void {
    if (isOver(this.#state)) return;
    this.#refusal = error;
    this.#state = state;
    // First of all: what is held through the session must not be relied on while others are told.
    this.#lost.abort(error);
    this.#requests.rejectAll(error);
    this.watches.clear();
    this.#become(state);
    this.#listeners.clear();
  }

  #become(state: State): void {
    this.#state = state;
    if (stateChanges.hasSubscribers) stateChanges.publish({ sessionId: this.id, state, server: undefined });
    for (const listener of [...this.#listeners]) callOut(listener, state);
  }

  #removeWatches(path: string): void {
    // A new connection only gets the watches that are still wanted.
    if (!this.#attached || this.#refusal) return;
    this.#submit(removeWatchesOperation(path), { transient: true }).catch(() => undefined);
  }
}
