import { createPrivateKey, X509Certificate } from 'node:crypto';
import { checkNames, type Duration, duration, InvalidArgumentError } from '@quorate/core';
import type { PayloadCodec } from '@temporalio/common';
import { harmless, type Tracing } from './tracing.ts';

/** Certificates and keys in PEM, as of `node:tls`. */
export interface TlsOptions {
  /** Whose certificates are trusted. Default: those that the system trusts. */
  readonly ca?: string | Uint8Array;
  /** With `key`, for mutual TLS. */
  readonly cert?: string | Uint8Array;
  readonly key?: string | Uint8Array;
  /** The name in the server's certificate, where it is not that of the address. */
  readonly servername?: string;
}

export interface WorkflowsOptions {
  /** Of the server, `host:port`. */
  readonly address: string;
  /** Default `default`. */
  readonly namespace?: string;
  /** Where workflows are put, and where its workers look for them. */
  readonly taskQueue: string;
  /** True for TLS with the authorities that the system trusts. */
  readonly tls?: boolean | TlsOptions;
  /** A key, or what gives the one that counts now: it is asked before each request, and each second while there are workers. It goes over TLS only. */
  readonly apiKey?: string | (() => string);
  /** Makes the namespace, if it is not there; ended workflows are kept for so long in it. True: 3 days. */
  readonly createNamespace?: boolean | { readonly retention: Duration };
  /** How long it may take to connect. Default 10 s. */
  readonly connectTimeout?: Duration;
  /** How long one answer may take. Default 10 s. */
  readonly requestTimeout?: Duration;
  /** What changes values on their way, such as `encryption()`. The first one is the nearest to the workflow. */
  readonly codecs?: readonly PayloadCodec[];
  /** Larger values are refused before they are sent; the arguments of a call count together. Default 2 MiB less 8 KiB: Temporal takes 2 MiB by default, with what is around them. */
  readonly maxPayloadBytes?: number;
  /** What goes around starts, signals and activities. Default: nothing. */
  readonly tracing?: Tracing;
  /** How this process is called in histories. Default: its number and the name of the machine. */
  readonly identity?: string;
  /** The name of the component. Default `workflows`. */
  readonly name?: string;
}

export interface WorkflowsSettings {
  readonly address: string;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly tls: true | TlsOptions | undefined;
  readonly apiKey: (() => string) | undefined;
  /** Milliseconds for which ended workflows are kept; nothing when the namespace is not made. */
  readonly retention: number | undefined;
  readonly connectTimeout: number;
  readonly requestTimeout: number;
  readonly codecs: readonly PayloadCodec[];
  readonly maxPayloadBytes: number;
  readonly tracing: Tracing | undefined;
  readonly identity: string | undefined;
  readonly name: string;
}

const names = [
  'address',
  'namespace',
  'taskQueue',
  'tls',
  'apiKey',
  'createNamespace',
  'connectTimeout',
  'requestTimeout',
  'codecs',
  'maxPayloadBytes',
  'tracing',
  'identity',
  'name',
];

export function checkWorkflowsOptions(options: WorkflowsOptions): WorkflowsSettings {
  checkNames('options', options, names);
  const { address, namespace = 'default', taskQueue, createNamespace = false, codecs = [], tracing } = options;
  const { maxPayloadBytes = 2 * 2 ** 20 - 8_192, identity, name = 'workflows' } = options;
  if (typeof address !== 'string' || !isAddress(address))
    throw new InvalidArgumentError('address', 'an address such as "127.0.0.1:7233"', address);
  const tls = checkTls(options.tls);
  const apiKey = checkApiKey(options.apiKey);
  if (apiKey !== undefined && tls === undefined)
    throw new InvalidArgumentError(
      'tls',
      'true or options, as there is an apiKey: without TLS everybody could read it',
    );
  if (
    !Array.isArray(codecs) ||
    codecs.some((one) => typeof one?.encode !== 'function' || typeof one.decode !== 'function')
  )
    throw new InvalidArgumentError('codecs', 'a list of objects with encode and decode');
  if (tracing !== undefined && (typeof tracing?.send !== 'function' || typeof tracing.handle !== 'function'))
    throw new InvalidArgumentError('tracing', 'an object with send and handle', tracing);
  return {
    address,
    namespace: text('namespace', namespace),
    taskQueue: text('taskQueue', taskQueue),
    tls,
    apiKey,
    retention: checkRetention(createNamespace),
    connectTimeout: duration(options.connectTimeout ?? '10s', { name: 'connectTimeout', least: 100 }),
    requestTimeout: duration(options.requestTimeout ?? '10s', { name: 'requestTimeout', least: 100 }),
    codecs,
    maxPayloadBytes: whole('maxPayloadBytes', maxPayloadBytes, 1, 2 ** 30),
    tracing: tracing && harmless(tracing),
    identity: identity === undefined ? undefined : text('identity', identity),
    name: text('name', name),
  };
}

function isAddress(address: string): boolean {
  const [, port] = /^(?:\[[\da-fA-F:.]+\]|[\w.-]+):(\d{1,5})$/.exec(address) ?? [];
  return Number(port) >= 1 && Number(port) <= 65_535;
}

export function text(name: string, value: unknown): string {
  if (typeof value === 'string' && value !== '' && value.length <= 1_000 && value.isWellFormed()) return value;
  throw new InvalidArgumentError(name, 'text of 1 to 1000 characters', value);
}

export function whole(name: string, value: unknown, least: number, most: number): number {
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) return value as number;
  throw new InvalidArgumentError(name, `a whole number from ${least} to ${most}`, value);
}

/** What is not shown may be a private key. */
function checkTls(tls: WorkflowsOptions['tls']): true | TlsOptions | undefined {
  if (tls === undefined || tls === false) return undefined;
  if (tls === true) return true;
  checkNames('tls', tls, ['ca', 'cert', 'key', 'servername']);
  for (const part of ['ca', 'cert', 'key'] as const)
    if (tls[part] !== undefined && !isPem(part, tls[part]))
      throw new InvalidArgumentError(`tls.${part}`, part === 'key' ? 'a private key in PEM' : 'a certificate in PEM');
  if ((tls.cert === undefined) !== (tls.key === undefined))
    throw new InvalidArgumentError(tls.cert === undefined ? 'tls.cert' : 'tls.key', 'to be given, as the other one is');
  if (tls.servername !== undefined) text('tls.servername', tls.servername);
  return tls;
}

function isPem(part: 'ca' | 'cert' | 'key', pem: unknown): boolean {
  if (typeof pem !== 'string' && !(pem instanceof Uint8Array)) return false;
  const bytes = Buffer.from(pem);
  try {
    if (part === 'key') createPrivateKey(bytes);
    else new X509Certificate(bytes);
    return true;
  } catch {
    return false;
  }
}

function checkApiKey(apiKey: unknown): (() => string) | undefined {
  if (apiKey === undefined) return undefined;
  if (typeof apiKey === 'function') return () => checkKey(apiKey());
  const key = checkKey(apiKey);
  return () => key;
}

/** What is wrong is not shown: it may be a key with a newline behind it, as it is read from a file. */
function checkKey(key: unknown): string {
  if (typeof key === 'string' && /^[\x21-\x7e]+$/.test(key)) return key;
  throw new InvalidArgumentError('apiKey', 'visible ASCII without spaces or newlines, or a function that gives it');
}

function checkRetention(createNamespace: unknown): number | undefined {
  if (createNamespace === false) return undefined;
  if (createNamespace === true) return duration('3d');
  checkNames('createNamespace', createNamespace, ['retention']);
  const { retention } = createNamespace as { retention: Duration };
  return duration(retention, { name: 'createNamespace.retention', least: 3_600_000 });
}
