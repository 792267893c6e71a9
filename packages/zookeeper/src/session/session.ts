import { backoff, deadline, sleep } from '@quorate/core';
import { signalRefusal } from '../arguments.ts';
import { callOut } from '../call-out.ts';
import { requests as requestChannel, stateChanges, watchesFired } from '../diagnostics.ts';
import { AuthFailedError } from '../errors/auth-failed-error.ts';
import type { ConnectionLostError } from '../errors/connection-lost-error.ts';
import { ServerListError } from '../errors/server-list-error.ts';
import { SessionClosedError } from '../errors/session-closed-error.ts';
import { SessionLostError } from '../errors/session-lost-error.ts';
import type { Auth, Settings } from '../options.ts';
import type { Operation } from '../protocol/operation.ts';
import { closeOperation, removeWatchesOperation } from '../protocol/reads.ts';
import { since } from '../protocol/since.ts';
import { isOver, type State } from '../state.ts';
import { WatchRegistry } from '../watch/registry.ts';
import { replaceRequests } from '../watch/replacing.ts';
import { type Dialed, dial } from './dial.ts';
import { authenticate, endUnknownWatches, establish } from './establish.ts';
import { farewell } from './farewell.ts';
import { Introductions } from './introductions.ts';
import { Liveness } from './liveness.ts';
import { Pipeline } from './pipeline.ts';
import type { RequestOptions } from './request.ts';
import type { ServerList } from './server-list.ts';
import { Serving } from './serving.ts';
import type { SessionLike } from './session-like.ts';
import { Wire } from './wire.ts';

const noPassword: Buffer = Buffer.alloc(16);

/**
 * One session, over as many connections as it takes. It goes from `connecting` through any number of `connected` and
 * `suspended` to `lost` or `closed`, and never begins another: who held something through it must be told.
 */
export class Session implements SessionLike {
  readonly watches: WatchRegistry;
  readonly #servers: ServerList;
  readonly #settings: Settings;
  readonly #auth: Auth[];
  /** Credentials that no server has accepted yet. */
  readonly #introductions = new Introductions();
  readonly #liveness = new Liveness();
  readonly #pipeline: Pipeline;
  readonly #serving: Serving;
  readonly #lost = new AbortController();
  /** Aborts when there is nothing left to connect for. */
  readonly #over = new AbortController();
  readonly #listeners = new Set<(state: State) => void>();
  #state: State = 'connecting';
  #id = 0n;
  #password = noPassword;
  /** Whether the ensemble knows our session: what a read-only member hands out means nothing to the others. */
  #owned = false;
  #readOnly = false;
  #wire: Wire | undefined;
  #lastServer: string | undefined;
  #lastFailure: unknown;
  #timer: NodeJS.Timeout | undefined;
  /** Why new requests are refused, from the moment closing began. */
  #refusal: Error | undefined;
  #closing: Promise<void> | undefined;

  constructor(servers: ServerList, settings: Settings) {
    this.#servers = servers;
    this.#settings = settings;
    this.#auth = [...settings.auth];
    this.#pipeline = new Pipeline(settings, this.#liveness);
    this.watches = new WatchRegistry((path) => this.#removeWatches(path));
    this.#serving = new Serving(this.#pipeline);
  }

  get id(): bigint {
    return this.#id;
  }

  /** Asks the clock as well: a process that was stopped must not read `connected` before its timers have run. */
  get state(): State {
    this.#checkClock();
    return this.#state;
  }

  get readOnly(): boolean {
    return this.#readOnly;
  }

  get timeout(): number {
    return this.#liveness.timeout;
  }

  get server(): string | undefined {
    return this.#wire?.server;
  }

  /** Aborts when the session is over, or about to be by our own doing. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** The same object for as long as the connection is the same. */
  get connectedTo(): { readonly server: string; readonly address: string } | undefined {
    return this.#wire;
  }

  get lastFailure(): unknown {
    return this.#lastFailure;
  }

  failed(error: unknown): void {
    this.#lastFailure = error;
  }

  /** Returns how to stop listening. */
  listen(listener: (state: State) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Connects, and connects again, until the session is over. */
  async run(): Promise<void> {
    const delays = backoff({ min: 20, max: 1_000 });
    while (!isOver(this.#state)) {
      const dialed = await this.#dial(this.#over.signal);
      const wire = dialed && this.#shakeHands(dialed);
      if (wire && (await this.#establish(wire))) {
        const { answers } = this.#liveness;
        this.#connected(wire);
        this.#suspended(await wire.ended);
        if (this.#liveness.answers > answers) delays.reset();
      } else this.#notConnected();
      // Also after a connection: a server that takes us and then drops us must not be asked in a tight loop.
      if (!isOver(this.#state)) await delays.wait({ signal: this.#over.signal }).catch(() => undefined);
    }
  }

  request<T>(operation: Operation<T>, options: RequestOptions<T> = {}): Promise<T> {
    this.#checkClock();
    if (this.#refusal) return Promise.reject(this.#refusal);
    const refusal = signalRefusal(options.signal);
    if (refusal) return Promise.reject(refusal);
    if (options.signal?.aborted) return Promise.reject(options.signal.reason);
    if (!requestChannel.hasSubscribers) return this.#submit(operation, options);
    const { operation: name, path } = operation;
    const traced = { operation: name, path, sessionId: this.#id, server: this.server };
    return requestChannel.tracePromise(() => this.#submit(operation, options), traced);
  }

  #submit<T>(operation: Operation<T>, options: RequestOptions<T>): Promise<T> {
    if (since.has(operation.code)) return this.#serving.request(operation, options);
    return this.#pipeline.submit(operation, options);
  }

  /**
   * Gives the servers one more identity of ours, now and on every connection to come; without a connection it waits for the
   * next. Refused credentials cost the connection, for so the servers do it, and not the session.
   */
  async addAuth(auth: Auth): Promise<void> {
    this.#checkClock();
    if (this.#refusal) throw this.#refusal;
    const accepted = this.#introductions.add(auth);
    if (this.#wire && this.#state === 'connected') void this.#introduce(this.#wire);
    await accepted;
  }

  /** False when the connection is of no use any more. */
  async #introduce(wire: Wire): Promise<boolean> {
    return this.#introductions.make(
      (auth) => authenticate(wire, auth),
      (auth) => this.#auth.push(auth),
    );
  }

  /** Leaves the server for another one, when it has answered what it was sent, or has had a third of the session timeout for it. */
  async moveOn(why: string): Promise<void> {
    const wire = this.#wire;
    if (!wire || this.#refusal) return;
    const answered = new AbortController();
    const patience = sleep(this.timeout / 3, { signal: answered.signal }).catch(() => undefined);
    await Promise.race([this.#pipeline.rest(), patience]);
    answered.abort();
    wire.destroy(why);
  }

  /** Ends the session on the servers, after what was sent before it. Resolves as well when it is over for another reason. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Ends it here and now, and lets the servers find out by themselves. */
  abandon(): void {
    this.#end('closed', new SessionClosedError());
  }

  /**
   * Of a session that was given up here for want of answers: tells the servers, in one attempt, that nobody wants what it has
   * left with them. Nobody relies on it any more, so nothing depends on whether they hear.
   */
  async farewell(signal: AbortSignal): Promise<void> {
    if (this.#state !== 'lost' || !this.#owned) return;
    using limit = deadline(this.timeout, signal);
    const dialed = await this.#dial(limit.signal);
    if (dialed) await farewell(dialed, this.#id, limit.signal);
  }

  async #close(): Promise<void> {
    this.#checkClock();
    if (isOver(this.#state)) return;
    const closed = new SessionClosedError();
    this.#refusal = closed;
    this.#serving.end(closed);
    // Before the servers are told: nobody may rely on the session from here on.
    this.#lost.abort(closed);
    this.#pipeline.rejectWaiting(closed);
    if (this.#id !== 0n) await this.#pipeline.submit(closeOperation(), {}).catch(() => undefined);
    this.#end('closed', closed);
  }

  async #dial(signal: AbortSignal): Promise<Dialed | undefined> {
    const sessionTimeout = this.#liveness.timeout || this.#settings.sessionTimeout;
    const { failure, ...candidates } = await this.#servers.round({ sessionTimeout, signal });
    const request = {
      lastZxid: this.#pipeline.lastZxid,
      timeout: this.#settings.sessionTimeout,
      sessionId: this.#owned ? this.#id : 0n,
      password: this.#owned ? this.#password : noPassword,
      readOnly: this.#settings.readOnly,
    };
    let last: unknown;
    const failed = (error: unknown): void => {
      last = error;
      this.failed(error);
    };
    const dialed = await dial(candidates, {
      settings: this.#settings,
      sessionTimeout,
      request,
      last: this.#lastServer,
      signal,
      failed,
    });
    if (failure && !dialed) this.failed(new ServerListError(failure.why, { cause: failure.cause, last }));
    return dialed;
  }

  #shakeHands({ connection, reply, sentAt }: Dialed): Wire | undefined {
    this.#lastServer = connection.server;
    if (isOver(this.state)) {
      connection.destroy('the session was over already');
      return undefined;
    }
    if (reply.timeout <= 0 || reply.sessionId === 0n) {
      connection.destroy('the server does not know the session');
      if (this.#owned) this.#lose('the server says that it has expired');
      return undefined;
    }
    this.#id = reply.sessionId;
    this.#password = reply.password;
    this.#readOnly = reply.readOnly;
    this.#liveness.established(reply.timeout, sentAt, !reply.readOnly || !this.#owned);
    this.#owned ||= !reply.readOnly;
    this.#wire = new Wire(connection, this.#liveness, {
      alive: () => !isOver(this.state),
      reply: (header, body) => this.#pipeline.replied(header, body),
      notification: (notification) => {
        if (watchesFired.hasSubscribers) watchesFired.publish({ sessionId: this.#id, ...notification });
        this.watches.notify(notification);
      },
      tooLarge: (size, xid) => {
        this.#pipeline.tooLarge(size, xid);
        connection.destroy(`the server sent a frame of ${size} bytes, more than maxReplySize allows`);
      },
      drain: () => this.#pipeline.pump(),
    });
    this.#arm();
    return this.#wire;
  }

  /** Whether the connection is ready for requests. */
  async #establish(wire: Wire): Promise<boolean> {
    try {
      await endUnknownWatches(wire, this.watches);
      const watches = replaceRequests(this.watches.placed(), this.#pipeline.lastZxid);
      await establish(wire, { auth: this.#auth, sasl: this.#settings.sasl, watches });
      if (!(await this.#introduce(wire))) throw new Error('the server refused credentials that were added');
      return !isOver(this.#state);
    } catch (error) {
      this.#lastFailure = error;
      wire.destroy('could not be prepared for requests', error);
      if (error instanceof AuthFailedError) this.#lose('the servers refuse its credentials', error);
      return false;
    }
  }

  #connected(wire: Wire): void {
    this.#serving.begin(wire.version);
    this.#become('connected');
    this.watches.replaced();
    this.#pipeline.attach(wire);
    // Those that were added a moment ago.
    void this.#introduce(wire);
  }

  #suspended(reason: ConnectionLostError): void {
    this.#wire = undefined;
    this.#lastFailure = reason;
    if (isOver(this.#state)) return;
    this.#serving.suspend();
    this.#pipeline.detach(reason);
    this.#become('suspended');
    this.#arm();
  }

  #notConnected(): void {
    this.#wire = undefined;
    if (this.#state !== 'connecting') return;
    // Nobody has the session yet: the next attempt begins another one.
    clearTimeout(this.#timer);
    this.#id = 0n;
    this.#owned = false;
    this.#liveness.timeout = 0;
  }

  #lose(why: string, cause: unknown = this.#lastFailure): void {
    // Who closes it has been told already that it is over.
    if (this.#closing && this.#refusal) this.#end('closed', this.#refusal);
    else this.#end('lost', new SessionLostError(why, { cause }));
  }

  #end(state: 'lost' | 'closed', error: Error): void {
    if (isOver(this.#state)) return;
    clearTimeout(this.#timer);
    this.#refusal = error;
    this.#state = state;
    // First of all: what is held through the session must not be relied on while others are told.
    this.#lost.abort(error);
    this.#over.abort(error);
    this.#wire?.destroy('the session is over', error);
    this.#pipeline.end(error);
    this.#serving.end(error);
    this.#introductions.end(error);
    this.watches.clear();
    this.#become(state);
    this.#listeners.clear();
  }

  #become(state: State): void {
    this.#state = state;
    if (stateChanges.hasSubscribers) stateChanges.publish({ sessionId: this.#id, state, server: this.server });
    for (const listener of [...this.#listeners]) callOut(listener, state);
  }

  #checkClock(): void {
    const { timeout, lostAt } = this.#liveness;
    if (timeout === 0 || isOver(this.#state) || performance.now() < lostAt) return;
    this.#lose(`no server has answered within its timeout of ${timeout} ms`);
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const { lostAt, suspendAt, pingAt } = this.#liveness;
    const due = this.#wire ? Math.min(lostAt, suspendAt, pingAt) : lostAt;
    this.#timer = setTimeout(() => this.#tick(), Math.max(0, Math.ceil(due - performance.now())));
  }

  #tick(): void {
    this.#checkClock();
    if (isOver(this.#state)) return;
    const now = performance.now();
    const wire = this.#wire;
    if (wire && now >= this.#liveness.suspendAt) {
      wire.destroy(this.#liveness.why);
    } else if (wire && now >= this.#liveness.pingAt) wire.ping();
    this.#arm();
  }

  #removeWatches(path: string): void {
    // A new connection only gets the watches that are still wanted.
    if (!this.#wire || this.#refusal) return;
    this.#pipeline.submit(removeWatchesOperation(path), { transient: true }).catch(() => undefined);
  }
}
