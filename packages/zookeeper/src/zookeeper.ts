import type { Auth } from './options.ts';
import type { Acl } from './protocol/acl.ts';
import type { CreateMode } from './protocol/create-mode.ts';
import type { Children, Identity, NodeData, WatchMode } from './protocol/reads.ts';
import type { Stat } from './protocol/stat.ts';
import type { Created } from './protocol/writes.ts';
import type { ReadOutcome, ReadRequest } from './read-many.ts';
import type { State } from './state.ts';
import type { Transaction } from './transaction.ts';
import type { Watch } from './watch/watch.ts';
import type { Watcher } from './watch/watch-event.ts';

export interface CallOptions {
  /** Aborts the wait. A write that was sent by then is ambiguous: it may have happened. */
  readonly signal?: AbortSignal | undefined;
}

export interface ReadOptions extends CallOptions {
  /** Called once, when what was read has changed. Aborting `signal` takes the watch back, also after the read. */
  readonly watch?: Watcher | undefined;
}

export interface SyncOptions extends CallOptions {
  /**
   * Ask ahead of the requests that still wait to be sent, for a sign of life of the leader: then what they write may not be
   * seen by reads that follow. Default false.
   */
  readonly urgent?: boolean | undefined;
}

export interface WriteOptions extends CallOptions {
  /** Only if the node has this version; any version when left out. 0 is a version like any other. */
  readonly version?: number | undefined;
}

export interface DeleteOptions extends WriteOptions {
  /** With everything below, from the bottom up. Not atomic: what is created meanwhile is deleted as well. */
  readonly recursive?: boolean | undefined;
}

export interface CreateOptions extends CallOptions {
  readonly mode?: CreateMode | undefined;
  /** That of `connect` when left out: there, by default, anybody may do anything. */
  readonly acl?: readonly Acl[] | undefined;
  /** Deleted by the servers when it has been unchanged and childless for so many milliseconds; servers must allow it. */
  readonly ttl?: number | undefined;
  /** Create what is missing above it, persistent and with the same ACL. */
  readonly parents?: boolean | undefined;
  /**
   * Put a unique mark in front of the name (`_c_<uuid>-`, like Curator), so that a node whose creation was not confirmed
   * is found again. Then it is created exactly once, unless another client deletes it before it is looked for: that looks
   * as if it had never been created, and it is created again. Without it, a create whose reply is lost is ambiguous. On for sequential nodes unless switched off:
   * there, only the mark tells one's own node from another's. Sort such names by their last ten digits.
   */
  readonly protected?: boolean | undefined;
}

export interface WatchOptions extends CallOptions {
  /** `persistent`: the node itself and its list of children. `recursive`: every node below it as well, without `children` events. */
  readonly mode?: WatchMode | undefined;
}

export interface Config {
  /** One line per member, as in `zoo.cfg.dynamic`. */
  readonly members: readonly string[];
  readonly version: bigint;
  readonly stat: Stat;
}

export interface ConfigChange extends CallOptions {
  /** Members to add or change, such as `server.4=zk4:2888:3888;2181`. */
  readonly joining?: readonly string[] | undefined;
  /** The numbers of the members to remove. */
  readonly leaving?: readonly (number | string)[] | undefined;
  /** All members, in place of joining and leaving. */
  readonly members?: readonly string[] | undefined;
  /** Only if the configuration is still of this version. */
  readonly fromVersion?: bigint | undefined;
}

/** A ZooKeeper session. Paths are absolute, below the chroot of the connect string. */
export interface ZooKeeper extends AsyncDisposable {
  /** The session's number; the owner of its ephemeral nodes. */
  readonly id: bigint;
  readonly state: Exclude<State, 'connecting'>;
  /** Aborts when the session is over, by our clock or the server's word, or because it was closed: stop relying on it. */
  readonly lost: AbortSignal;
  /** Whether the member we are connected to is cut off from its ensemble and can only be read. */
  readonly readOnly: boolean;
  /** The session timeout that the servers granted, in milliseconds. */
  readonly sessionTimeout: number;
  /** What goes in front of each fencing token that is made through this session. */
  readonly tokenEpoch: number;

  /** Each change of state until the session is over, the last one included. */
  states(): AsyncIterableIterator<State, undefined>;
  on(event: 'state', listener: (state: State) => void): this;
  off(event: 'state', listener: (state: State) => void): this;

  create(path: string, data?: Uint8Array | string, options?: CreateOptions): Promise<Created>;
  get(path: string, options?: ReadOptions): Promise<NodeData>;
  set(path: string, data: Uint8Array | string, options?: WriteOptions): Promise<Stat>;
  delete(path: string, options?: DeleteOptions): Promise<void>;
  /** Undefined when there is no such node; `watch` then waits for it to be created. */
  exists(path: string, options?: ReadOptions): Promise<Stat | undefined>;
  children(path: string, options?: ReadOptions): Promise<Children>;
  /** Brings the member we are connected to up to date with the leader. Reads that follow see what was written before. */
  sync(path: string, options?: SyncOptions): Promise<void>;
  acl(path: string, options?: CallOptions): Promise<{ readonly acl: Acl[]; readonly stat: Stat }>;
  /** `version` is that of the ACL (`stat.aversion`). */
  setAcl(path: string, acl: readonly Acl[], options?: WriteOptions): Promise<Stat>;
  /** Several writes that all happen or none does. */
  transaction(): Transaction;
  /**
   * Several reads in one round trip; each has its own outcome. They are one request where the server knows it (3.6), else one
   * request each.
   */
  readMany(reads: readonly ReadRequest[], options?: CallOptions): Promise<ReadOutcome[]>;
  /** The session's own ephemeral nodes at and below a path. */
  ephemerals(path?: string, options?: CallOptions): Promise<string[]>;
  /** How many nodes there are below a path. */
  countDescendants(path: string, options?: CallOptions): Promise<number>;
  watch(path: string, options?: WatchOptions): Watch;

  addAuth(auth: Auth): Promise<void>;
  whoAmI(options?: CallOptions): Promise<Identity[]>;
  /** The members of the ensemble, whatever the chroot is. */
  config(options?: ReadOptions): Promise<Config>;
  reconfig(change: ConfigChange): Promise<Config>;

  /** Ends the session: its ephemeral nodes are gone when this resolves. Aborting `signal` leaves that to the servers. */
  close(options?: CallOptions): Promise<void>;
}
