import { createRequire } from 'node:module';

/** What is used of the package. It has no types of its own. */
export interface NativeStat {
  readonly czxid: Buffer;
  readonly mzxid: Buffer;
  readonly pzxid: Buffer;
  readonly ctime: Buffer;
  readonly mtime: Buffer;
  readonly version: number;
  readonly cversion: number;
  readonly aversion: number;
  readonly ephemeralOwner: Buffer;
  readonly dataLength: number;
  readonly numChildren: number;
}

export interface NativeAcl {
  readonly permission: number;
  readonly id: { readonly scheme: string; readonly id: string };
}

interface NativeEvent {
  readonly type: number;
  readonly path: string;
}

/** Its errors have the numbers of the protocol. */
export type NativeError = (Error & { readonly code?: unknown }) | null | undefined;
export type Callback<Values extends unknown[]> = (error: NativeError, ...values: Values) => void;
export type NativeWatcher = ((event: NativeEvent) => void) | undefined;

interface NativeTransaction {
  readonly ops: { version?: number }[];
  create(path: string, data: Buffer, acls: readonly NativeAcl[], mode: number): this;
  setData(path: string, data: Buffer, version: number): this;
  remove(path: string, version: number): this;
  check(path: string, version: number): this;
  commit(callback: Callback<[{ type: number; err?: number; path?: string; stat?: NativeStat }[]]>): void;
}

export interface NodeZookeeperClient {
  readonly options?: { readonly retries?: number };
  readonly connectionManager?: { readonly state?: number; readonly socket?: { destroy(): void } };
  on(event: 'state', listener: (state: { readonly name: string }) => void): unknown;
  removeListener(event: 'state', listener: (state: { readonly name: string }) => void): unknown;
  getState(): { readonly name: string };
  getSessionId(): Buffer;
  getSessionTimeout(): number;
  addAuthInfo(scheme: string, auth: Buffer): void;
  create(path: string, data: Buffer, acls: readonly NativeAcl[], mode: number, callback: Callback<[string]>): void;
  getData(path: string, watcher: NativeWatcher, callback: Callback<[Buffer | undefined, NativeStat]>): void;
  setData(path: string, data: Buffer, version: number, callback: Callback<[NativeStat]>): void;
  remove(path: string, version: number, callback: Callback<[]>): void;
  exists(path: string, watcher: NativeWatcher, callback: Callback<[NativeStat | undefined]>): void;
  getChildren(path: string, watcher: NativeWatcher, callback: Callback<[string[], NativeStat]>): void;
  getACL(path: string, callback: Callback<[NativeAcl[], NativeStat]>): void;
  setACL(path: string, acls: readonly NativeAcl[], version: number, callback: Callback<[NativeStat]>): void;
  transaction(): NativeTransaction;
  close(): void;
}

interface NativeModule {
  ACL: new (permission: number, id: object) => NativeAcl;
  Id: new (scheme: string, id: string) => object;
}

/** The application's own copy: it is a peer, and only who uses this entry needs it. */
const native = createRequire(import.meta.url)('node-zookeeper-client') as NativeModule;

export function nativeAcl(permission: number, scheme: string, id: string): NativeAcl {
  return new native.ACL(permission, new native.Id(scheme, id));
}
