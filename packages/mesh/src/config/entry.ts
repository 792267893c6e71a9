import { checkNames, type Duration, InvalidArgumentError } from '@quorate/core';
import { checkName, checkNumber, checkText } from '../arguments.ts';
import { milliseconds } from '../duration.ts';

export type EntryKind =
  | 'service-defaults'
  | 'service-resolver'
  | 'service-splitter'
  | 'service-router'
  | 'proxy-defaults';

/** A configuration entry, checked, as Consul reads it. */
export interface Entry {
  readonly kind: EntryKind;
  readonly name: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

export interface DefaultsOptions {
  /** What it speaks. Splits, routes and rules by path need more than `tcp`. */
  readonly protocol?: 'tcp' | 'http' | 'http2' | 'grpc';
  readonly maxInboundConnections?: number;
  /** How long the service behind the sidecar may take: to accept, and to answer. */
  readonly connectTimeout?: Duration;
  readonly requestTimeout?: Duration;
  /** Any other setting, in Consul's own words: `{ MutualTLSMode: 'strict' }`. */
  readonly more?: Readonly<Record<string, unknown>>;
}

/** What holds for all instances of a service. */
export function defaults(name: string, options: DefaultsOptions): Entry {
  checkName('name', name);
  const known = ['protocol', 'maxInboundConnections', 'connectTimeout', 'requestTimeout', 'more'];
  checkNames('options', options, known);
  const { protocol, maxInboundConnections, connectTimeout, requestTimeout, more = {} } = options;
  if (protocol !== undefined && !['tcp', 'http', 'http2', 'grpc'].includes(protocol)) {
    throw new InvalidArgumentError('protocol', 'tcp, http, http2 or grpc', protocol);
  }
  if (maxInboundConnections !== undefined) checkNumber('maxInboundConnections', maxInboundConnections, 1, 2 ** 31);
  const settings = {
    ...more,
    ...(protocol !== undefined && { Protocol: protocol }),
    ...(maxInboundConnections !== undefined && { MaxInboundConnections: maxInboundConnections }),
    ...(connectTimeout !== undefined && { LocalConnectTimeoutMs: milliseconds('connectTimeout', connectTimeout) }),
    ...(requestTimeout !== undefined && { LocalRequestTimeoutMs: milliseconds('requestTimeout', requestTimeout) }),
  };
  return { kind: 'service-defaults', name, settings };
}

/** What holds for all proxies: settings of Consul's for Envoy. */
export function proxyDefaults(
  config: Readonly<Record<string, unknown>>,
  more: Readonly<Record<string, unknown>> = {},
): Entry {
  if (typeof config !== 'object' || config === null) throw new InvalidArgumentError('config', 'an object', config);
  return { kind: 'proxy-defaults', name: 'global', settings: { ...more, Config: config } };
}

/** Another place to go: another service, a subset, a datacenter. What is left out stays as it is. */
export interface Target {
  readonly service?: string;
  readonly subset?: string;
  readonly datacenter?: string;
}

export function checkTarget(argument: string, target: Target): void {
  checkNames(argument, target, ['service', 'subset', 'datacenter']);
  if (target.service !== undefined) checkName(`${argument}.service`, target.service);
  if (target.subset !== undefined) checkName(`${argument}.subset`, target.subset);
  if (target.datacenter !== undefined) checkText(`${argument}.datacenter`, target.datacenter);
  if (Object.keys(target).length === 0) throw new InvalidArgumentError(argument, 'a service, subset or datacenter');
}

export function consulTarget({ service, subset, datacenter }: Target): Record<string, unknown> {
  return {
    ...(service !== undefined && { Service: service }),
    ...(subset !== undefined && { ServiceSubset: subset }),
    ...(datacenter !== undefined && { Datacenter: datacenter }),
  };
}
