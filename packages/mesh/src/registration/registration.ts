import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { checkNames, type Duration, InvalidArgumentError } from '@quorate/core';
import { checkAddress, checkInstance, checkName, checkNumber, checkPort, checkTexts } from '../arguments.ts';
import { milliseconds } from '../duration.ts';
import { type Check, checkCheck } from './check.ts';
import { checkSidecar, type SidecarRegistration } from './sidecar-registration.ts';

export interface Registration {
  readonly name: string;
  /**
   * By default the name and where it listens, by its address or the name of this host: an instance that comes back takes its
   * own place, and no other one of the cluster has it.
   */
  readonly id?: string;
  readonly port?: number;
  /** Where others reach it. By default the agent's own address. */
  readonly address?: string;
  /** By default `[{ ttl: '15s' }]`: it is well while this process lives. With `[]` nobody looks. */
  readonly checks?: readonly Check[];
  readonly tags?: readonly string[];
  readonly meta?: Readonly<Record<string, string>>;
  /** Its share of the load, while its checks pass and while they warn. */
  readonly weights?: { readonly passing: number; readonly warning?: number };
  /**
   * Consul forgets an instance that has been critical for so long, at least a minute; false: never. Default 1 h: those that
   * ended without a word do not pile up. One whose process lives is registered again.
   */
  readonly deregisterCriticalServiceAfter?: Duration | false;
  /** A proxy beside it, through which it is reached and reaches others. */
  readonly sidecar?: true | SidecarRegistration;
}

export type Registered = Registration &
  Required<Pick<Registration, 'id' | 'checks' | 'tags' | 'meta' | 'deregisterCriticalServiceAfter'>>;

const names = [
  'name',
  'id',
  'port',
  'address',
  'checks',
  'tags',
  'meta',
  'weights',
  'deregisterCriticalServiceAfter',
  'sidecar',
];

export function checkRegistration(registration: Registration): Registered {
  checkNames('registration', registration, names);
  const { name, port, address, checks = [{ ttl: '15s' }], tags = [], meta = {}, weights, sidecar } = registration;
  checkName('name', name);
  if (port !== undefined) checkPort('port', port);
  if (address !== undefined) checkAddress('address', address);
  const id = registration.id ?? idOf(name, address, port);
  checkInstance('id', id);
  checkChecks(checks, port);
  checkTexts('tags', tags);
  if (typeof meta !== 'object' || meta === null) throw new InvalidArgumentError('meta', 'strings by name', meta);
  for (const [key, value] of Object.entries(meta)) {
    if (!/^[\w-]{1,128}$/.test(key)) throw new InvalidArgumentError('meta', 'names of letters, digits, - and _', key);
    if (typeof value !== 'string' || value.length > 512 || !value.isWellFormed()) {
      throw new InvalidArgumentError(`meta.${key}`, 'a well-formed string of at most 512 characters', value);
    }
  }
  if (weights !== undefined) {
    checkNames('weights', weights, ['passing', 'warning']);
    checkNumber('weights.passing', weights.passing, 1, 65_535);
    if (weights.warning !== undefined) checkNumber('weights.warning', weights.warning, 0, 65_535);
  }
  // Consul takes less for a minute, without a word.
  const { deregisterCriticalServiceAfter: after = '1h' } = registration;
  if (after !== false) milliseconds('deregisterCriticalServiceAfter', after, 60_000);
  if (sidecar !== undefined && sidecar !== true) checkSidecar(sidecar);
  if (sidecar !== undefined && port === undefined) throw new InvalidArgumentError('port', 'a port, for the sidecar');
  return { ...registration, id, checks, tags, meta, deregisterCriticalServiceAfter: after };
}

/** Many hosts have the same address on loopback, and the same port. */
function idOf(name: string, address: string | undefined, port: number | undefined): string {
  if (port === undefined) return `${name}-${randomUUID()}`;
  const elsewhere = address !== undefined && !/^(?:127\.|::1$|0\.0\.0\.0$|::$|localhost$)/.test(address);
  const host = elsewhere ? [] : [hostname().split('.')[0]];
  return [name, ...host, ...(address === undefined ? [] : [address]), port].join('-');
}

function checkChecks(checks: readonly Check[], port: number | undefined): void {
  if (!Array.isArray(checks)) throw new InvalidArgumentError('checks', 'a list of checks', checks);
  checks.forEach((check: Check, index) => {
    const argument = `checks[${index}]`;
    checkCheck(argument, check);
    if ('http' in check && check.http.startsWith('/') && port === undefined) {
      throw new InvalidArgumentError(`${argument}.http`, 'a whole URL, as there is no port', check.http);
    }
  });
}
