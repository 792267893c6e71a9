import type { ConnectionOptions } from 'node:tls';
import { checkNames, type Duration, InvalidArgumentError } from '@quorate/core';
import { checkNumber, checkText } from './arguments.ts';
import { milliseconds } from './duration.ts';

/** TLS to the agent, as in `node:tls`. */
export type AgentTls = Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'servername' | 'rejectUnauthorized'>;

export interface MeshOptions {
  /** What health and a service's errors call it. Default `mesh`. */
  readonly name?: string;
  /** The agent on this machine. Default `http://127.0.0.1:8500`. */
  readonly address?: string | undefined;
  readonly token?: string | undefined;
  /** For an address that begins with `https:`. */
  readonly tls?: AgentTls;
  readonly datacenter?: string;
  /** How long the agent may take to answer. Default 10 s; blocking queries have their own. */
  readonly timeout?: Duration;
  /** The most bytes an answer may have. Default 64 MiB. */
  readonly maxReplySize?: number;
}

export interface Settings {
  readonly name: string;
  readonly address: string;
  readonly token: string | undefined;
  readonly tls: AgentTls;
  readonly datacenter: string | undefined;
  readonly timeout: number;
  readonly maxReplySize: number;
}

const names = ['name', 'address', 'token', 'tls', 'datacenter', 'timeout', 'maxReplySize'];

export function checkOptions(options: MeshOptions): Settings {
  checkNames('options', options, names);
  const { name = 'mesh', address = 'http://127.0.0.1:8500', token, tls = {}, datacenter } = options;
  const { timeout = 10_000, maxReplySize = 64 * 1024 * 1024 } = options;
  checkText('name', name);
  const url = typeof address === 'string' && URL.canParse(address) ? new URL(address) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.search !== '' || url.username !== '') {
    throw new InvalidArgumentError('address', 'a URL such as "http://127.0.0.1:8500"');
  }
  if (token !== undefined && (typeof token !== 'string' || !/^[\x21-\x7e]{1,512}$/.test(token))) {
    throw new InvalidArgumentError('token', 'the secret id of a token');
  }
  if (typeof tls !== 'object' || tls === null) throw new InvalidArgumentError('tls', 'options of node:tls');
  if (url.protocol === 'http:' && Object.keys(tls).length > 0) {
    throw new InvalidArgumentError('address', 'a URL that begins with "https:" when tls is set', address);
  }
  if (datacenter !== undefined) checkText('datacenter', datacenter);
  checkNumber('maxReplySize', maxReplySize, 1024, 2 ** 31 - 1);
  const rest = { token, tls, datacenter, timeout: milliseconds('timeout', timeout), maxReplySize };
  return { name, address: url.origin, ...rest };
}
