import {
  aborted,
  backoff,
  type Component,
  type Health,
  InvalidArgumentError,
  isQuorateError,
  QuorateError,
  untilAborted,
} from '@quorate/core';
import { type AfterFailure, afterFailure, checkAfterFailure, isStoppedBy } from './after-failure.ts';
import { checkSignal } from './arguments.ts';
import { connectTo, farewell } from './connect.ts';
import { type ConnectOptions, checkOptions } from './options.ts';
import { ServerList, type Servers } from './session/server-list.ts';
import type { CallOptions, ZooKeeper } from './zookeeper.ts';

/** Between failures of work, in milliseconds. */
const longestDelay = 5_000;

/** Those of `connect`. There is no time within which a session must begin, and nothing but `stop` ends the attempts. */
export interface SessionsOptions extends Omit<ConnectOptions, 'timeout' | 'signal'> {
  /** What health and errors call it. Default `zookeeper`. */
  readonly name?: string;
}

export interface EachOptions extends CallOptions {
  /**
   * Default `retry`. A function is asked at each failure, with how many there have been in a row. A row is over when work is
   * done, when it has lasted for five seconds, and when its session ends.
   */
  readonly onFailure?: AfterFailure | undefined;
}

/**
 * Sessions, one after the other, for work that outlives each of them.
 *
 *     await using sessions = new Sessions('zk1:2181,zk2:2181,zk3:2181');
 *     await sessions.each(async (zk, { signal }) => { … }, { signal });
 *
 * A session that is lost takes along what was held through it: its ephemeral nodes, locks, leadership, watches. So nothing is
 * carried over: the work begins anew in the next one, and reads again what it believed. The servers are told that nobody wants
 * what the last one has left with them. An ensemble that is away for hours is waited for, with an attempt each second or so.
 */
export class Sessions implements Component, AsyncDisposable {
  readonly name: string;
  readonly #servers: ServerList;
  readonly #options: Omit<ConnectOptions, 'timeout' | 'signal'>;
  readonly #over = new AbortController();
  readonly #works = new Set<Promise<void>>();
  #current: ZooKeeper | undefined;
  readonly #waiting = new Set<PromiseWithResolvers<ZooKeeper>>();
  #running: Promise<void> | undefined;
  /** Why there is no session, and will be none until somebody asks for one again. */
  #refusal: unknown;

  constructor(servers: Servers, { name = 'zookeeper', ...options }: SessionsOptions = {}) {
    if (typeof name !== 'string' || name === '') throw new InvalidArgumentError('name', 'a name', name);
    for (const other of ['timeout', 'signal']) {
      if (other in options)
        throw new InvalidArgumentError(`options.${other}`, 'nothing: sessions last until they are stopped');
    }
    checkOptions(options);
    this.name = name;
    this.#servers = new ServerList(servers);
    this.#options = options;
  }

  /** Resolves when there is a session. When it rejects, the sessions are stopped, for all who use them. */
  async start(signal?: AbortSignal): Promise<void> {
    try {
      await this.session({ signal });
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Tells all work to end, waits for it, and closes the session. Work itself must not wait for this: it would wait for itself. */
  async stop(): Promise<void> {
    this.#over.abort(new SessionsStoppedError(this.name));
    await Promise.all(this.#works);
    await this.#current?.close();
    await this.#running;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  health(): Health {
    const zk = this.#current;
    if (zk?.state === 'connected') return { status: 'pass', detail: `session 0x${zk.id.toString(16)}` };
    if (zk?.state === 'suspended') return { status: 'warn', detail: 'the connection is lost; the session may live on' };
    if (this.#over.signal.aborted) return { status: 'fail', detail: 'stopped' };
    const why = this.#refusal instanceof Error ? `: ${this.#refusal.message}` : '';
    return { status: 'fail', detail: `no session${why}` };
  }

  /** The session there is, or else the next one. It may be over at any moment: see `zk.lost`. */
  async session({ signal }: CallOptions = {}): Promise<ZooKeeper> {
    checkSignal(signal);
    signal?.throwIfAborted();
    this.#over.signal.throwIfAborted();
    this.#running ??= this.#run();
    if (this.#current && !this.#current.lost.aborted) return this.#current;
    // One for each who waits: what many wait for keeps all of them in memory, also who has given up.
    const next = Promise.withResolvers<ZooKeeper>();
    this.#waiting.add(next);
    try {
      return await untilAborted(next.promise, signal, this.#over.signal);
    } finally {
      this.#waiting.delete(next);
    }
  }

  /**
   * Does the work in each session: now, and again in the next one when a session is over, or after a while when it has failed.
   * Its signal aborts when the session is over, when yours does, and when the sessions are stopped. Resolves when your signal
   * aborts or the sessions are stopped, once the work has ended. Rejects when `onFailure` says so, and when the servers
   * refuse the credentials.
   */
  async each(
    work: (zk: ZooKeeper, context: { readonly signal: AbortSignal }) => unknown,
    { signal, onFailure = 'retry' }: EachOptions = {},
  ): Promise<void> {
    if (typeof work !== 'function') throw new InvalidArgumentError('work', 'a function of a session', work);
    checkAfterFailure(onFailure);
    checkSignal(signal);
    this.#over.signal.throwIfAborted();
    const working = this.#each(work, onFailure, signal);
    const settled = working.catch(() => undefined);
    this.#works.add(settled);
    try {
      await working;
    } finally {
      this.#works.delete(settled);
    }
  }

  async #each(
    work: (zk: ZooKeeper, context: { readonly signal: AbortSignal }) => unknown,
    onFailure: AfterFailure,
    wanted: AbortSignal | undefined,
  ): Promise<void> {
    const over = wanted ? AbortSignal.any([wanted, this.#over.signal]) : this.#over.signal;
    const delays = backoff({ min: 100, max: longestDelay });
    while (!over.aborted) {
      let zk: ZooKeeper;
      try {
        zk = await this.session({ signal: over });
      } catch (error) {
        if (over.aborted) return;
        throw error;
      }
      const signal = AbortSignal.any([over, zk.lost]);
      const begun = performance.now();
      try {
        await work(zk, { signal });
        delays.reset();
        // Done, for as long as this session lasts.
        await aborted(signal);
      } catch (error) {
        if (isStoppedBy(over, error)) return;
        const ofLostSession = zk.lost.aborted && isOfLostSession(zk, error);
        if (ofLostSession || performance.now() - begun > longestDelay) delays.reset();
        if (ofLostSession) continue;
        if ((await afterFailure(onFailure, error, delays.attempt + 1)) === 'stop') throw error;
        await delays.wait({ signal: over }).catch(() => undefined);
      }
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#over;
    const delays = backoff({ min: 50, max: 1_000 });
    let last: ZooKeeper | undefined;
    while (!signal.aborted) {
      try {
        const zk = await connectTo(this.#servers, { ...this.#options, timeout: Number.POSITIVE_INFINITY, signal });
        if (signal.aborted) return await zk.close();
        this.#refusal = undefined;
        this.#begin(zk);
        // What the last one has left with servers that were away would be in the way of this one until its timeout.
        if (last) farewell(last, signal).catch(() => undefined);
        last = zk;
        const begun = performance.now();
        await aborted(zk.lost);
        this.#current = undefined;
        if (performance.now() - begun > 1_000) delays.reset();
      } catch (error) {
        if (signal.aborted) return;
        if (['auth-failed', 'invalid-argument'].some((code) => isQuorateError(error, code))) return this.#refuse(error);
        // Lost between the handshake and the first look at it.
        this.#refusal = error;
      }
      await delays.wait({ signal }).catch(() => undefined);
    }
  }

  #begin(zk: ZooKeeper): void {
    this.#current = zk;
    for (const { resolve } of this.#waiting) resolve(zk);
  }

  /** Another attempt would be refused as well; who asks for a session later begins one. */
  #refuse(error: unknown): void {
    this.#refusal = error;
    this.#running = undefined;
    for (const { reject } of this.#waiting) reject(error);
  }
}

/** Sessions that have been stopped begin no other one. */
export class SessionsStoppedError extends QuorateError {
  constructor(name: string) {
    super(`${name}: the sessions have been stopped; make new ones`, { code: 'sessions-stopped', happened: 'no' });
  }
}

/** What work says when its session is over is told of by that. */
function isOfLostSession(zk: ZooKeeper, error: unknown): boolean {
  const codes = ['session-lost', 'session-closed', 'ambiguous'];
  return isStoppedBy(zk.lost, error) || codes.some((code) => isQuorateError(error, code)) || isLeaseEnd(error);
}

function isLeaseEnd(error: unknown): boolean {
  return isQuorateError(error) && error.code.startsWith('lease-');
}
