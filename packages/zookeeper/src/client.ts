import { InvalidArgumentError, isQuorateError } from '@quorate/core';
import { checkData, checkVersion } from './arguments.ts';
import { checkConfigChange, configPath, parseConfig } from './config.ts';
import { checkCreate, create } from './create.ts';
import { deleteRecursive } from './delete-recursive.ts';
import { EventStream } from './event-stream.ts';
import { type Auth, checkAuth } from './options.ts';
import { checkPath, withChroot, withoutChroot } from './path.ts';
import { type Acl, checkAcl, openAcl } from './protocol/acl.ts';
import { multiOperation, type Step, type StepResult } from './protocol/multi.ts';
import type { Operation } from './protocol/operation.ts';
import * as reads from './protocol/reads.ts';
import type { Stat } from './protocol/stat.ts';
import * as writes from './protocol/writes.ts';
import { checkReads, type ReadOutcome, type ReadRequest, readOutcome, readTogether } from './read-many.ts';
import type { SessionLike } from './session/session-like.ts';
import { isOver, type State } from './state.ts';
import { Transaction } from './transaction.ts';
import { oneShot } from './watch/one-shot.ts';
import type { WatchKind } from './watch/registry.ts';
import { type Watch, watch } from './watch/watch.ts';
import type * as api from './zookeeper.ts';

interface ClientOptions {
  /** For what is created without one. */
  readonly acl?: readonly Acl[];
  readonly tokenEpoch?: number;
}

/** The operations, on a session: checks arguments and maps paths to and from the chroot. */
export class Client implements api.ZooKeeper {
  readonly tokenEpoch: number;
  readonly #session: SessionLike;
  readonly #chroot: string;
  readonly #acl: readonly Acl[];
  readonly #listeners = new Map<(state: State) => void, () => void>();

  constructor(session: SessionLike, chroot: string, { acl = openAcl, tokenEpoch = 0 }: ClientOptions = {}) {
    this.#session = session;
    this.#chroot = chroot;
    this.#acl = acl;
    this.tokenEpoch = tokenEpoch;
  }

  get id(): bigint {
    return this.#session.id;
  }

  get state(): api.ZooKeeper['state'] {
    return this.#session.state as api.ZooKeeper['state'];
  }

  get lost(): AbortSignal {
    return this.#session.lost;
  }

  get readOnly(): boolean {
    return this.#session.readOnly;
  }

  get sessionTimeout(): number {
    return this.#session.timeout;
  }

  states(): AsyncIterableIterator<State, undefined> {
    let stop = (): void => undefined;
    const states = new EventStream<State>({ ended: () => stop() });
    stop = this.#session.listen((state) => {
      states.push(state);
      if (isOver(state)) states.finish();
    });
    if (isOver(this.state)) states.finish();
    return states;
  }

  on(event: 'state', listener: (state: State) => void): this {
    checkListener(event, listener);
    if (!this.#listeners.has(listener)) this.#listeners.set(listener, this.#session.listen(listener));
    return this;
  }

  off(event: 'state', listener: (state: State) => void): this {
    checkListener(event, listener);
    this.#listeners.get(listener)?.();
    this.#listeners.delete(listener);
    return this;
  }

  async create(path: string, data: Uint8Array | string = '', options: api.CreateOptions = {}): Promise<writes.Created> {
    const { acl = this.#acl } = options;
    const creation = checkCreate(path, data, { ...options, acl }, (each) => this.#toServer(each));
    const created = await create(this.#session, creation);
    return { path: this.#toClient(created.path) ?? created.path, stat: created.stat };
  }

  async get(path: string, options: api.ReadOptions = {}): Promise<reads.NodeData> {
    checkPath(path);
    const { watch: watcher } = options;
    const operation = reads.getOperation(this.#toServer(path), watcher !== undefined, path);
    return this.#read(operation, path, 'data', options);
  }

  async set(path: string, data: Uint8Array | string, { version, signal }: api.WriteOptions = {}): Promise<Stat> {
    checkPath(path);
    const operation = writes.setOperation(this.#toServer(path), checkData(data), checkVersion(version), path);
    return this.#session.request(operation, { signal });
  }

  async delete(path: string, { version, recursive = false, signal }: api.DeleteOptions = {}): Promise<void> {
    checkPath(path);
    if (path === '/')
      throw new InvalidArgumentError('path', 'a path other than the root, which cannot be deleted', path);
    if (typeof recursive !== 'boolean') throw new InvalidArgumentError('recursive', 'true or false', recursive);
    const checked = checkVersion(version);
    const serverPath = this.#toServer(path);
    if (recursive) return deleteRecursive(this.#session, { serverPath, path, version: checked, signal });
    return this.#session.request(writes.deleteOperation(serverPath, checked, path), { signal });
  }

  async exists(path: string, options: api.ReadOptions = {}): Promise<Stat | undefined> {
    checkPath(path);
    const operation = reads.existsOperation(this.#toServer(path), options.watch !== undefined, path);
    try {
      return await this.#read(operation, path, 'exists', options);
    } catch (error) {
      if (isQuorateError(error, 'no-node')) return undefined;
      throw error;
    }
  }

  async children(path: string, options: api.ReadOptions = {}): Promise<reads.Children> {
    checkPath(path);
    const operation = reads.childrenOperation(this.#toServer(path), options.watch !== undefined, path);
    return this.#read(operation, path, 'children', options);
  }

  async sync(path: string, { signal, urgent }: api.SyncOptions = {}): Promise<void> {
    checkPath(path);
    if (urgent !== undefined && typeof urgent !== 'boolean') {
      throw new InvalidArgumentError('urgent', 'true or false', urgent);
    }
    return this.#session.request(reads.syncOperation(this.#toServer(path), path), { signal, urgent });
  }

  async acl(path: string, { signal }: api.CallOptions = {}): Promise<{ acl: Acl[]; stat: Stat }> {
    checkPath(path);
    return this.#session.request(reads.aclOperation(this.#toServer(path), path), { signal });
  }

  async setAcl(path: string, acl: readonly Acl[], { version, signal }: api.WriteOptions = {}): Promise<Stat> {
    checkPath(path);
    checkAcl(acl);
    const operation = writes.setAclOperation(this.#toServer(path), acl, checkVersion(version), path);
    return this.#session.request(operation, { signal });
  }

  transaction(): Transaction {
    return new Transaction((steps, signal) => this.#commit(steps, signal), this.#acl);
  }

  async readMany(requests: readonly ReadRequest[], { signal }: api.CallOptions = {}): Promise<ReadOutcome[]> {
    const checked = checkReads(requests, (path) => this.#toServer(path));
    if (checked.length === 0) return [];
    return (await readTogether(this.#session, checked, signal)).map(readOutcome);
  }

  async ephemerals(path = '/', { signal }: api.CallOptions = {}): Promise<string[]> {
    checkPath(path);
    const found = await this.#session.request(reads.ephemeralsOperation(this.#toServer(path), path), { signal });
    // The server compares the beginnings of paths, so that it finds /ab for /a.
    const below = path === '/' ? '/' : `${path}/`;
    return found.flatMap((each) => {
      const known = this.#toClient(each);
      return known !== undefined && (known === path || known.startsWith(below)) ? [known] : [];
    });
  }

  async countDescendants(path: string, { signal }: api.CallOptions = {}): Promise<number> {
    checkPath(path);
    return this.#session.request(reads.countDescendantsOperation(this.#toServer(path), path), { signal });
  }

  watch(path: string, { mode = 'persistent', signal }: api.WatchOptions = {}): Watch {
    checkPath(path);
    if (mode !== 'persistent' && mode !== 'recursive') {
      throw new InvalidArgumentError('mode', '"persistent" or "recursive"', mode);
    }
    const toClient = (each: string): string | undefined => this.#toClient(each);
    return watch(this.#session, { serverPath: this.#toServer(path), path, mode, signal, toClient });
  }

  async addAuth(auth: Auth): Promise<void> {
    return this.#session.addAuth(checkAuth(auth));
  }

  async whoAmI({ signal }: api.CallOptions = {}): Promise<reads.Identity[]> {
    return this.#session.request(reads.whoAmIOperation(), { signal });
  }

  async config(options: api.ReadOptions = {}): Promise<api.Config> {
    const operation = reads.getOperation(configPath, options.watch !== undefined, configPath);
    return parseConfig(await this.#read(operation, configPath, 'data', options, configPath));
  }

  async reconfig(change: api.ConfigChange): Promise<api.Config> {
    const operation = writes.reconfigOperation(checkConfigChange(change));
    return parseConfig(await this.#session.request(operation, { signal: change.signal }));
  }

  async close({ signal }: api.CallOptions = {}): Promise<void> {
    const abandon = (): void => this.#session.abandon();
    const closed = this.#session.close();
    if (signal?.aborted) abandon();
    signal?.addEventListener('abort', abandon, { once: true });
    try {
      await closed;
    } finally {
      signal?.removeEventListener('abort', abandon);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #read<T>(
    operation: Operation<T>,
    path: string,
    kind: WatchKind,
    { watch: watcher, signal }: api.ReadOptions,
    serverPath: string = this.#toServer(path),
  ): Promise<T> {
    if (watcher === undefined) return this.#session.request(operation, { signal });
    if (typeof watcher !== 'function') throw new InvalidArgumentError('watch', 'a function', watcher);
    signal?.throwIfAborted();
    const deliver = ({ type }: { type: Parameters<typeof watcher>[0]['type'] }): void => watcher({ type, path });
    const placing = oneShot(this.#session.watches, { path: serverPath, kind, deliver, signal });
    try {
      return await this.#session.request(operation, { signal, replied: placing.replied });
    } catch (error) {
      // An answer of the server's has been dealt with; without one there is no watch.
      if (!isQuorateError(error, 'no-node')) placing.unplaced();
      throw error;
    }
  }

  async #commit(steps: readonly Step[], signal: AbortSignal | undefined): Promise<StepResult[]> {
    const onServer = steps.map((step) => ({ ...step, path: this.#toServer(step.path) }));
    const results = await this.#session.request(multiOperation(onServer, this.#session.id), { signal });
    return results.map((result) =>
      result.kind === 'create' ? { ...result, path: this.#toClient(result.path) ?? result.path } : result,
    );
  }

  #toServer(path: string): string {
    return withChroot(this.#chroot, path);
  }

  #toClient(path: string): string | undefined {
    return withoutChroot(this.#chroot, path);
  }
}

function checkListener(event: unknown, listener: unknown): void {
  if (event !== 'state') throw new InvalidArgumentError('event', '"state"', event);
  if (typeof listener !== 'function') throw new InvalidArgumentError('listener', 'a function', listener);
}
