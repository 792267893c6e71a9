import { checkNames, type Duration, type Health, InvalidArgumentError } from '@quorate/core';
import { checkNumber, checkText } from '../arguments.ts';
import { milliseconds } from '../duration.ts';

interface Asked {
  /** Shown to people. */
  readonly name?: string;
  /** Between two looks; Consul does not go below 1 s. Default 5 s. */
  readonly interval?: Duration;
  /** How long a look may take. By default the interval, at most 5 s. */
  readonly timeout?: Duration;
  /** How many looks in a row must fail before the check does. Default 1. */
  readonly failuresBeforeCritical?: number;
}

/** Consul asks a URL; 2xx passes, 429 warns. A path alone is asked of the instance's own port. */
export interface HttpCheck extends Asked {
  readonly http: string;
  readonly method?: string;
  readonly header?: Readonly<Record<string, readonly string[]>>;
  readonly tlsSkipVerify?: boolean;
}

/** Consul connects: `127.0.0.1:5432`. */
export interface TcpCheck extends Asked {
  readonly tcp: string;
}

/** Consul speaks the gRPC health protocol: `127.0.0.1:50051`, or with a service `127.0.0.1:50051/query`. */
export interface GrpcCheck extends Asked {
  readonly grpc: string;
  readonly grpcUseTls?: boolean;
}

/** The instance says that it lives, and we say it for it, three times in each TTL, while this process runs. */
export interface TtlCheck {
  readonly name?: string;
  readonly ttl: Duration;
}

/**
 * A function of ours: we serve it on loopback, and Consul asks. A throw fails; false fails; Health says it in detail; true and
 * nothing pass; anything else fails, and says so.
 */
export interface FunctionCheck extends Asked {
  readonly run: (
    signal: AbortSignal,
  ) => boolean | Health | undefined | Promise<boolean | Health | undefined> | Promise<void>;
}

export type Check = HttpCheck | TcpCheck | GrpcCheck | TtlCheck | FunctionCheck;

const common = ['name', 'interval', 'timeout', 'failuresBeforeCritical'];
const kinds: Readonly<Record<string, readonly string[]>> = {
  http: ['http', 'method', 'header', 'tlsSkipVerify', ...common],
  tcp: ['tcp', ...common],
  grpc: ['grpc', 'grpcUseTls', ...common],
  ttl: ['ttl', 'name'],
  run: ['run', ...common],
};

export function checkCheck(argument: string, check: Check): void {
  const kind = Object.keys(kinds).find((name) => typeof check === 'object' && check !== null && name in check);
  if (kind === undefined) throw new InvalidArgumentError(argument, 'a check with http, tcp, grpc, ttl or run', check);
  checkNames(argument, check, kinds[kind] as string[]);
  if (check.name !== undefined) checkText(`${argument}.name`, check.name);
  if ('ttl' in check) {
    milliseconds(`${argument}.ttl`, check.ttl, 100);
    return;
  }
  const { interval = 5_000, timeout = interval, failuresBeforeCritical = 1 } = check;
  milliseconds(`${argument}.interval`, interval, 1_000);
  milliseconds(`${argument}.timeout`, timeout);
  checkNumber(`${argument}.failuresBeforeCritical`, failuresBeforeCritical, 1, 1_000);
  if ('run' in check) {
    if (typeof check.run !== 'function') throw new InvalidArgumentError(`${argument}.run`, 'a function', check.run);
  } else checkText(`${argument}.${kind}`, (check as unknown as Record<string, unknown>)[kind]);
  if ('http' in check && !check.http.startsWith('/') && !/^https?:\/\//.test(check.http)) {
    throw new InvalidArgumentError(`${argument}.http`, 'a URL, or a path that begins with a slash', check.http);
  }
}

/** Where the checks of an instance look. */
export interface Place {
  readonly id: string;
  readonly address: string | undefined;
  readonly port: number | undefined;
  readonly deregisterAfter: string | undefined;
  /** Where a function is served. */
  readonly served: (check: FunctionCheck) => string;
}

export function checkId(instance: string, index: number): string {
  return `service:${instance}:${index + 1}`;
}

/** As the agent reads it. */
export function consulCheck(check: Check, index: number, place: Place): Record<string, unknown> {
  const identity = {
    CheckID: checkId(place.id, index),
    Name: check.name ?? `${place.id} ${kindOf(check)}`,
    ...(place.deregisterAfter !== undefined && { DeregisterCriticalServiceAfter: place.deregisterAfter }),
  };
  // The beat that follows at once says the same.
  if ('ttl' in check) return { ...identity, TTL: words(check.ttl), Status: 'passing' };
  const { interval = 5_000, timeout, failuresBeforeCritical = 1 } = check;
  const pace = {
    Interval: words(interval),
    Timeout: words(timeout ?? Math.min(5_000, milliseconds('interval', interval))),
    // Consul counts the failures before the one that counts.
    FailuresBeforeCritical: failuresBeforeCritical - 1,
  };
  if ('tcp' in check) return { ...identity, ...pace, TCP: check.tcp };
  if ('grpc' in check) return { ...identity, ...pace, GRPC: check.grpc, GRPCUseTLS: check.grpcUseTls ?? false };
  if ('run' in check) return { ...identity, ...pace, HTTP: place.served(check) };
  const own = `http://${place.address ?? '127.0.0.1'}:${place.port}${check.http}`;
  return {
    ...identity,
    ...pace,
    HTTP: check.http.startsWith('/') ? own : check.http,
    Method: check.method ?? 'GET',
    Header: check.header ?? {},
    TLSSkipVerify: check.tlsSkipVerify ?? false,
  };
}

function kindOf(check: Check): string {
  return Object.keys(kinds).find((kind) => kind in check) ?? '';
}

function words(duration: Duration): string {
  return `${milliseconds('duration', duration)}ms`;
}
