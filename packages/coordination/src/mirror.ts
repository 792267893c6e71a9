import { InvalidArgumentError, isQuorateError } from '@quorate/core';
import { type CallOptions, checkPath, SessionsStoppedError, type State, type ZooKeeper } from '@quorate/zookeeper';
import { type AnySession, areSessions, inEachSession, whereItMayHelp } from './each-session.ts';
import { MirrorClosedError } from './errors/mirror-closed-error.ts';
import { MirrorTooLargeError } from './errors/mirror-too-large-error.ts';
import { checkAnySession } from './given-session.ts';
import { Changes, type MirrorChange } from './mirror/changes.ts';
import { Copy, type MirroredNode } from './mirror/copy.ts';
import { type NodeRead, readSubtree } from './mirror/loading.ts';
import { follow } from './watched/follow.ts';
import type { Reading } from './watched/touched.ts';

export interface MirrorOptions {
  /** It ends, with an error, rather than hold more nodes. Default 100,000. */
  readonly maxNodes?: number | undefined;
  /** The same for the bytes of their data. Default 64 MiB. */
  readonly maxBytes?: number | undefined;
}

/**
 * - `loading`: not everything has been read yet.
 * - `current`: it has what our server has, but for what is on its way.
 * - `stale`: the connection is gone, or, over `Sessions`, the session is; or there is one again and everything is being read
 *   again.
 * - `ended`: it is not kept up to date any more; `signal` has the reason.
 */
export type MirrorState = 'loading' | 'current' | 'stale' | 'ended';

/**
 * A copy of a node and everything below it, in memory and kept up to date by one watch: for what is read often and may
 * be a moment old.
 *
 *     import { Mirror } from '@quorate/coordination';
 *     import { connect } from '@quorate/zookeeper';
 *
 *     await using zk = await connect('localhost:2181');
 *     await using zones = new Mirror(zk, '/taxi/zones');
 *     await zones.ready;
 *     for (const name of zones.children('/taxi/zones') ?? []) console.log(name, `${zones.get(`/taxi/zones/${name}`)?.data}`);
 *     for await (const { type, path } of zones.changes()) console.log(type, path);
 *
 * Over `Sessions` it outlives each session: it keeps its copy while there is none, reads everything again in the next one, and
 * tells what differs as changes. Over one session, as `connect` returns it, it ends with that.
 *
 * Hazards:
 * - It is what was, not what is. While `current` it lags by a moment; when the connection is gone by `age`, and by up to
 *   two thirds of the session timeout more, for so long it takes to notice. Never decide by it who may write: read the
 *   node itself, or better, write on the condition of its version.
 * - Each node is as it once was, but two of them may never have been so at the same time. Where they must fit together,
 *   keep them in one node.
 * - All of it is in memory; a mirror that would grow beyond `maxNodes` or `maxBytes` ends instead, and so does one that
 *   may not read a node. Watch `signal`: the calls throw its reason from then on.
 * - After every break of the connection everything is read again. What was changed and changed back meanwhile, or created and
 *   deleted, is told as one change or not at all. It needs servers of 3.6 or later.
 * - Over `Sessions` it is `stale` for as long as there is no session, hours if need be, and the calls answer from the copy all
 *   the while: look at `state` or `age` where that matters.
 */
export class Mirror implements AsyncDisposable, Iterable<[path: string, node: MirroredNode]> {
  readonly path: string;
  /** Resolves when everything has been read once. Rejects when the mirror has ended before that. */
  readonly ready: Promise<void>;
  readonly #session: AnySession;
  readonly #limits: { readonly maxNodes: number; readonly maxBytes: number };
  readonly #copy: Copy;
  readonly #readers = new Set<Changes>();
  readonly #end = new AbortController();
  readonly #loaded = Promise.withResolvers<void>();
  readonly #following: Promise<void>;
  /** The session that it follows, or followed last. */
  #zk: ZooKeeper | undefined;
  #isLoaded = false;
  /** Since when it may differ from what the servers have. */
  #staleSince: number | undefined;
  #breaks = 0;

  /** Begins to read at once. */
  constructor(
    session: AnySession,
    path: string,
    { maxNodes = 100_000, maxBytes = 64 * 1024 * 1024 }: MirrorOptions = {},
  ) {
    checkAnySession(session);
    checkPath(path);
    checkLimit('maxNodes', maxNodes);
    checkLimit('maxBytes', maxBytes);
    this.path = path;
    this.#session = session;
    this.#limits = { maxNodes, maxBytes };
    this.#copy = new Copy(path, this.#limits);
    this.ready = this.#loaded.promise;
    this.ready.catch(() => undefined);
    this.#following = this.#follow();
  }

  /** Aborts when the mirror has ended: with the reason, which the calls throw from then on. */
  get signal(): AbortSignal {
    return this.#end.signal;
  }

  get state(): MirrorState {
    // A process that was stopped must not read "current" before its timers have run.
    void this.#zk?.state;
    if (this.#end.signal.aborted) return 'ended';
    if (!this.#isLoaded) return 'loading';
    return this.#staleSince === undefined ? 'current' : 'stale';
  }

  /** For how long it has not been current, in milliseconds: 0 while it is, Infinity until it first was. */
  get age(): number {
    void this.#zk?.state;
    if (!this.#isLoaded) return Number.POSITIVE_INFINITY;
    return this.#staleSince === undefined ? 0 : performance.now() - this.#staleSince;
  }

  /** How many nodes there are. */
  get size(): number {
    this.#end.signal.throwIfAborted();
    return this.#copy.size;
  }

  /** Undefined where there is no node. */
  get(path: string): MirroredNode | undefined {
    this.#check(path);
    return this.#copy.get(path);
  }

  /** The names of the nodes below a node, in no order; undefined where there is no node. */
  children(path: string): string[] | undefined {
    this.#check(path);
    return this.#copy.names(path);
  }

  /** Every node with its path, in no order. */
  [Symbol.iterator](): Iterator<[path: string, node: MirroredNode]> {
    this.#end.signal.throwIfAborted();
    return this.#copy.entries();
  }

  /**
   * What changes from now on, the initial reading included. A slow reader gets the latest change of each path, or a
   * `gap` where there are too many. Throws when the mirror ends for a reason of its own, ends when it is closed.
   */
  changes({ signal }: CallOptions = {}): AsyncIterableIterator<MirrorChange, undefined> {
    this.#end.signal.throwIfAborted();
    const aborted = (): void => changes.fail(signal?.reason);
    const changes = new Changes(this.path, () => {
      signal?.removeEventListener('abort', aborted);
      this.#readers.delete(changes);
    });
    this.#readers.add(changes);
    signal?.addEventListener('abort', aborted, { once: true });
    if (signal?.aborted) aborted();
    return changes;
  }

  /** Ends it and takes its watch back. */
  async close(): Promise<void> {
    this.#ended(new MirrorClosedError(this.path));
    await this.#following;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #follow(): Promise<void> {
    const { signal } = this.#end;
    try {
      await inEachSession(this.#session, signal, (zk, over) => this.#followIn(zk, over), whereItMayHelp);
      const session = this.#session;
      this.#ended(areSessions(session) ? new SessionsStoppedError(session.name) : session.lost.reason);
    } catch (error) {
      this.#ended(error);
    }
  }

  /** The copy is the one of the session before: what differs from that is told. */
  async #followIn(zk: ZooKeeper, signal: AbortSignal): Promise<void> {
    this.#zk = zk;
    zk.on('state', this.#stateChanged);
    try {
      const read = (reading: Reading): Promise<void> => this.#read(zk, reading, signal);
      await follow(zk, this.path, { mode: 'recursive', signal, read });
    } finally {
      zk.off('state', this.#stateChanged);
      this.#staleSince ??= performance.now();
    }
  }

  async #read(zk: ZooKeeper, reading: Reading, signal: AbortSignal): Promise<void> {
    const breaks = this.#breaks;
    const { maxNodes } = this.#limits;
    await readSubtree(
      zk,
      this.path,
      reading,
      {
        node: (path, read) => this.#took(path, read),
        expect: (count) => {
          if (count > maxNodes) throw new MirrorTooLargeError(this.path, 'maxNodes', maxNodes);
        },
        all: (paths) => {
          for (const [path] of [...this.#copy.entries()]) if (!paths.has(path)) this.#took(path, undefined);
        },
      },
      signal,
    );
    if (reading !== 'everything' || breaks !== this.#breaks) return;
    this.#staleSince = undefined;
    this.#isLoaded = true;
    this.#loaded.resolve();
  }

  #took(path: string, read: NodeRead | undefined): void {
    if (this.#end.signal.aborted) return;
    if (!read) for (const gone of this.#copy.delete(path)) this.#tell({ type: 'deleted', path: gone });
    else if (this.#copy.set(path, read))
      this.#tell({ type: 'changed', path, node: this.#copy.get(path) as MirroredNode });
  }

  #tell(change: MirrorChange): void {
    for (const reader of this.#readers) reader.push(change);
  }

  #stateChanged = (state: State): void => {
    if (state === 'connected') return;
    this.#breaks += 1;
    this.#staleSince ??= performance.now();
  };

  /** Only the first reason counts. */
  #ended(reason: unknown): void {
    if (this.#end.signal.aborted) return;
    this.#staleSince ??= performance.now();
    this.#end.abort(reason);
    this.#loaded.reject(reason);
    const quietly = ['mirror-closed', 'session-closed', 'sessions-stopped'].some((code) =>
      isQuorateError(reason, code),
    );
    for (const reader of [...this.#readers]) {
      if (quietly) reader.finish();
      else reader.fail(reason);
    }
  }

  #check(path: string): void {
    this.#end.signal.throwIfAborted();
    checkPath(path);
    if (path === this.path || this.path === '/' || path.startsWith(`${this.path}/`)) return;
    throw new InvalidArgumentError('path', `one at or below ${this.path}, which is what is mirrored`, path);
  }
}

function checkLimit(name: string, value: unknown): void {
  if (typeof value === 'number' && value >= 1) return;
  throw new InvalidArgumentError(name, 'a number of at least 1', value);
}
