export { type AfterFailure, afterFailure, checkAfterFailure, isStoppedBy } from './after-failure.ts';
export { connect } from './connect.ts';
export type { StateChange, TracedRequest, WatchFired } from './diagnostics.ts';
export { AuthFailedError } from './errors/auth-failed-error.ts';
export { BadVersionError } from './errors/bad-version-error.ts';
export { ConnectionLostError } from './errors/connection-lost-error.ts';
export { MalformedFrameError } from './errors/malformed-frame-error.ts';
export { NoAuthError } from './errors/no-auth-error.ts';
export { NoNodeError } from './errors/no-node-error.ts';
export { NodeExistsError } from './errors/node-exists-error.ts';
export { NotEmptyError } from './errors/not-empty-error.ts';
export { ReplyTooLargeError } from './errors/reply-too-large-error.ts';
export { ServerError } from './errors/server-error.ts';
export { ServerListError } from './errors/server-list-error.ts';
export { SessionClosedError } from './errors/session-closed-error.ts';
export { SessionLostError } from './errors/session-lost-error.ts';
export { TransactionError } from './errors/transaction-error.ts';
export type { Auth, ConnectOptions, Sasl } from './options.ts';
export { checkPath } from './path.ts';
export { type Acl, checkAcl, creatorAcl, openAcl, type Permission, readOnlyAcl } from './protocol/acl.ts';
export type { CreateMode } from './protocol/create-mode.ts';
export type { StepResult } from './protocol/multi.ts';
export type { Children, Identity, NodeData, WatchMode } from './protocol/reads.ts';
export type { Stat } from './protocol/stat.ts';
export type { Created } from './protocol/writes.ts';
export type { ReadOutcome, ReadRequest } from './read-many.ts';
export type { Servers } from './session/server-list.ts';
export {
  type EachOptions,
  Sessions,
  type SessionsOptions,
  SessionsStoppedError,
} from './sessions.ts';
export type { State } from './state.ts';
export { Transaction, type TransactionCreateOptions } from './transaction.ts';
export type { Watch } from './watch/watch.ts';
export type { WatchEvent, Watcher } from './watch/watch-event.ts';
export type {
  CallOptions,
  Config,
  ConfigChange,
  CreateOptions,
  DeleteOptions,
  ReadOptions,
  SyncOptions,
  WatchOptions,
  WriteOptions,
  ZooKeeper,
} from './zookeeper.ts';
