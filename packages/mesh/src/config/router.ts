import { checkNames, type Duration, InvalidArgumentError } from '@quorate/core';
import { checkName, checkNumber, checkText, checkTexts } from '../arguments.ts';
import { milliseconds } from '../duration.ts';
import { consulTarget, type Entry } from './entry.ts';

/** Which requests: all that is said must hold. */
export interface RequestMatch {
  readonly path?: { readonly exact: string } | { readonly prefix: string } | { readonly regex: string };
  readonly methods?: readonly string[];
  /** A header must have this value; with `true`, any. */
  readonly headers?: Readonly<Record<string, string | true>>;
}

export interface Route {
  /** Left out: every request. */
  readonly match?: RequestMatch;
  readonly to?: {
    readonly service?: string;
    readonly subset?: string;
    readonly prefixRewrite?: string;
    readonly timeout?: Duration;
    readonly retries?: number;
    /** Statuses to retry, and what else Envoy knows: `['connect-failure', 503]`. */
    readonly retryOn?: readonly (string | number)[];
  };
}

/** Requests to a service that go different ways: the first route that matches is taken; what matches none goes on as ever. */
export function router(name: string, routes: readonly Route[]): Entry {
  checkName('name', name);
  if (!Array.isArray(routes)) throw new InvalidArgumentError('routes', 'a list of routes', routes);
  return {
    kind: 'service-router',
    name,
    settings: { Routes: routes.map((route: Route, index) => consulRoute(`routes[${index}]`, route)) },
  };
}

function consulRoute(argument: string, route: Route): Record<string, unknown> {
  checkNames(argument, route, ['match', 'to']);
  const { match, to = {} } = route;
  checkNames(`${argument}.to`, to, ['service', 'subset', 'prefixRewrite', 'timeout', 'retries', 'retryOn']);
  const { service, subset, prefixRewrite, timeout, retries, retryOn = [] } = to;
  if (service !== undefined) checkName(`${argument}.to.service`, service);
  if (subset !== undefined) checkName(`${argument}.to.subset`, subset);
  if (prefixRewrite !== undefined) checkText(`${argument}.to.prefixRewrite`, prefixRewrite);
  if (retries !== undefined) checkNumber(`${argument}.to.retries`, retries, 0, 100);
  const statuses = retryOn.filter((on) => typeof on === 'number');
  const words = retryOn.filter((on) => typeof on === 'string');
  return {
    ...(match && { Match: { HTTP: consulMatch(`${argument}.match`, match) } }),
    Destination: {
      ...consulTarget({ ...(service !== undefined && { service }), ...(subset !== undefined && { subset }) }),
      ...(prefixRewrite !== undefined && { PrefixRewrite: prefixRewrite }),
      ...(timeout !== undefined && { RequestTimeout: `${milliseconds(`${argument}.to.timeout`, timeout)}ms` }),
      ...(retries !== undefined && { NumRetries: retries }),
      ...(statuses.length > 0 && { RetryOnStatusCodes: statuses }),
      ...(words.length > 0 && { RetryOn: words }),
    },
  };
}

/** As Consul reads it, in a route and in an intention. */
export function consulMatch(argument: string, match: RequestMatch): Record<string, unknown> {
  checkNames(argument, match, ['path', 'methods', 'headers']);
  const { path, methods, headers = {} } = match;
  if (path !== undefined) checkPath(`${argument}.path`, path);
  if (methods !== undefined) checkTexts(`${argument}.methods`, methods);
  return {
    ...(path && 'exact' in path && { PathExact: path.exact }),
    ...(path && 'prefix' in path && { PathPrefix: path.prefix }),
    ...(path && 'regex' in path && { PathRegex: path.regex }),
    ...(methods && { Methods: methods }),
    Header: Object.entries(headers).map(([Name, value]) =>
      value === true ? { Name, Present: true } : { Name, Exact: value },
    ),
  };
}

function checkPath(argument: string, path: NonNullable<RequestMatch['path']>): void {
  checkNames(argument, path, ['exact', 'prefix', 'regex']);
  const [first, ...others] = Object.entries(path);
  if (!first || others.length > 0) throw new InvalidArgumentError(argument, 'one of exact, prefix, regex', path);
  checkText(`${argument}.${first[0]}`, first[1]);
  if (first[0] !== 'regex' && !String(first[1]).startsWith('/')) {
    throw new InvalidArgumentError(`${argument}.${first[0]}`, 'a path that begins with a slash', first[1]);
  }
}
