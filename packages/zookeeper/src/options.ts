import type { ConnectionOptions as TlsConnectionOptions } from 'node:tls';
import { checkNames, InvalidArgumentError } from '@quorate/core';
import { checkSignal } from './arguments.ts';
import { type Acl, checkAcl, openAcl } from './protocol/acl.ts';
import { checkTokenEpoch } from './token-epoch.ts';

/** Credentials given with `digest` are a user and a password; any other scheme of the server takes its bytes. */
export type Auth =
  | { readonly scheme: 'digest'; readonly user: string; readonly password: string }
  | { readonly scheme: string; readonly credentials: Uint8Array | string };

/** Where the servers demand SASL. The password is never sent: both sides prove that they know it. */
export interface Sasl {
  readonly mechanism: 'DIGEST-MD5';
  readonly user: string;
  readonly password: string;
}

export interface ConnectOptions {
  /** How long the session outlives its connection, in milliseconds; the servers bound it. Default 10,000. */
  readonly sessionTimeout?: number;
  /** How long one attempt on one server may take: name, TCP, TLS and handshake. By default a third of the session timeout, shared by the addresses of the servers. */
  readonly connectTimeout?: number;
  /** How long `connect` tries in all before it rejects. Default 30,000; `Infinity` to try until aborted. */
  readonly timeout?: number;
  /** Given to the servers on every connection, before anything else. */
  readonly auth?: Auth | readonly Auth[];
  readonly sasl?: Sasl;
  /** Who may do what with each node that is created through this session, unless the call says otherwise. Default: anybody, anything. */
  readonly acl?: readonly Acl[];
  /** True, or options of `node:tls` (`ca`, `cert`, `key`, `servername`, …). */
  readonly tls?: boolean | TlsConnectionOptions;
  /** Whether a member that is cut off from its ensemble, and can only be read, will do until it is part of one again. */
  readonly readOnly?: boolean;
  /**
   * The oldest ZooKeeper among the servers, such as `3.8`. Without it a server is asked (`srvr`), over a second connection,
   * when something is wanted that not every version can do; one that does not say it counts as the oldest.
   */
  readonly serverVersion?: string;
  /**
   * Whether to use the addresses that the ensemble itself gives for its members, as `reconfig` changes them, and to leave a
   * member that was removed. The list that `connect` was given is tried after them. Default false: clients may not be able to
   * reach those addresses, as from outside of a container network.
   */
  readonly followReconfig?: boolean;
  /**
   * Raise it by one, in every process, when the ensemble is restored from a backup or set up anew: fencing tokens go on to
   * increase. From 0 to 32,767. Default 0.
   */
  readonly tokenEpoch?: number;
  /** The most bytes a request may have: what `jute.maxbuffer` is on the servers. Default 1,048,575. */
  readonly maxRequestSize?: number;
  /** The most bytes a reply may have. Default 16 MiB. */
  readonly maxReplySize?: number;
  /** Aborts connecting. Once connected it has no effect: close the client instead. */
  readonly signal?: AbortSignal;
}

/** Options that were checked, with every default filled in. */
export interface Settings {
  readonly sessionTimeout: number;
  readonly connectTimeout: number | undefined;
  readonly timeout: number;
  readonly auth: readonly Auth[];
  readonly sasl: Sasl | undefined;
  readonly acl: readonly Acl[];
  readonly tls: TlsConnectionOptions | undefined;
  readonly readOnly: boolean;
  readonly serverVersion: string | undefined;
  readonly followReconfig: boolean;
  readonly tokenEpoch: number;
  readonly maxRequestSize: number;
  readonly maxReplySize: number;
  readonly signal: AbortSignal | undefined;
}

const maxInt = 2 ** 31 - 1;
const names = [
  'sessionTimeout',
  'connectTimeout',
  'timeout',
  'auth',
  'sasl',
  'acl',
  'tls',
  'readOnly',
  'serverVersion',
  'followReconfig',
  'tokenEpoch',
  'maxRequestSize',
  'maxReplySize',
  'signal',
];

export function checkOptions(options: ConnectOptions): Settings {
  checkNames('options', options, names);
  const { sessionTimeout = 10_000, connectTimeout, timeout = 30_000, auth = [], sasl, tls, readOnly = false } = options;
  const { acl = openAcl, serverVersion, followReconfig = false, tokenEpoch = 0 } = options;
  const { maxRequestSize = 1_048_575, maxReplySize = 16 * 1024 * 1024, signal } = options;
  whole('sessionTimeout', sessionTimeout, 100);
  checkAcl(acl);
  if (connectTimeout !== undefined) whole('connectTimeout', connectTimeout, 1);
  if (!(typeof timeout === 'number' && timeout > 0)) {
    throw new InvalidArgumentError('timeout', 'a number of milliseconds above 0', timeout);
  }
  if (typeof readOnly !== 'boolean') throw new InvalidArgumentError('readOnly', 'true or false', readOnly);
  if (serverVersion !== undefined && !(typeof serverVersion === 'string' && /^\d+\.\d+(\.\d+)?$/.test(serverVersion))) {
    throw new InvalidArgumentError('serverVersion', 'a version such as "3.8"', serverVersion);
  }
  if (typeof followReconfig !== 'boolean') {
    throw new InvalidArgumentError('followReconfig', 'true or false', followReconfig);
  }
  checkTokenEpoch(tokenEpoch);
  whole('maxRequestSize', maxRequestSize, 1024);
  whole('maxReplySize', maxReplySize, 1024);
  checkSignal(signal);
  return {
    sessionTimeout,
    connectTimeout,
    timeout,
    auth: (Array.isArray(auth) ? auth : [auth]).map(checkAuth),
    sasl: sasl === undefined ? undefined : checkSasl(sasl),
    // A copy: what its owner does with it later must not open nodes to others.
    acl: acl === openAcl ? acl : structuredClone(acl),
    tls: checkTls(tls),
    readOnly,
    serverVersion,
    followReconfig,
    tokenEpoch,
    maxRequestSize,
    maxReplySize,
    signal,
  };
}

/** Checks credentials. Nothing of them is shown, right or wrong. */
export function checkAuth(auth: Auth): Auth {
  if (typeof auth !== 'object' || auth === null) throw new InvalidArgumentError('auth', 'an object with a scheme');
  if (typeof auth.scheme !== 'string' || auth.scheme === '') {
    throw new InvalidArgumentError('auth.scheme', 'a scheme such as "digest"');
  }
  if ('credentials' in auth) {
    const { credentials } = auth;
    if (typeof credentials !== 'string' && !(credentials instanceof Uint8Array)) {
      throw new InvalidArgumentError('auth.credentials', 'a string or bytes');
    }
    return { scheme: auth.scheme, credentials };
  }
  const { user, password } = auth;
  // The server splits the two at the first colon.
  if (typeof user !== 'string' || user === '' || user.includes(':')) {
    throw new InvalidArgumentError('auth.user', 'a name without a colon');
  }
  if (typeof password !== 'string') throw new InvalidArgumentError('auth.password', 'a string');
  return { scheme: 'digest', user, password };
}

export function credentialBytes(auth: Auth): Buffer {
  if ('credentials' in auth) return Buffer.from(auth.credentials as string);
  return Buffer.from(`${auth.user}:${auth.password}`);
}

function checkSasl(sasl: Sasl): Sasl {
  if (typeof sasl !== 'object' || sasl === null) throw new InvalidArgumentError('sasl', 'an object with a mechanism');
  if (sasl.mechanism !== 'DIGEST-MD5') throw new InvalidArgumentError('sasl.mechanism', '"DIGEST-MD5"', sasl.mechanism);
  if (typeof sasl.user !== 'string' || sasl.user === '') throw new InvalidArgumentError('sasl.user', 'a name');
  if (typeof sasl.password !== 'string') throw new InvalidArgumentError('sasl.password', 'a string');
  return { mechanism: 'DIGEST-MD5', user: sasl.user, password: sasl.password };
}

function checkTls(tls: ConnectOptions['tls']): TlsConnectionOptions | undefined {
  if (tls === undefined || tls === false) return undefined;
  if (tls === true) return {};
  if (typeof tls === 'object' && tls !== null) return tls;
  throw new InvalidArgumentError('tls', 'true, or options of node:tls', tls);
}

function whole(name: string, value: unknown, least: number): void {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= maxInt) return;
  throw new InvalidArgumentError(name, `a whole number from ${least} to ${maxInt}`, value);
}
