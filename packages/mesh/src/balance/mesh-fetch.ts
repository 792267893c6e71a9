import { isIP } from 'node:net';
import {
  AmbiguousError,
  backoff,
  DeadlineExceededError,
  type Duration,
  doubtful,
  InvalidArgumentError,
  isQuorateError,
  sleep,
} from '@quorate/core';
import { checkNumber, checkService } from '../arguments.ts';
import type { ServiceInstance } from '../discovery/service-instance.ts';
import { milliseconds } from '../duration.ts';
import { ServiceUnreachableError } from '../errors/service-unreachable-error.ts';
import { neverSent } from '../never-sent.ts';
import { whenOver } from './answer-body.ts';
import type { Balancer } from './balancer.ts';
import { follow, isRedirect, type Step } from './redirects.ts';
import type { RetryBudget } from './retry-budget.ts';
import { refusedPort, Unsendable, urlAt } from './unsendable.ts';

export interface MeshRequestInit extends RequestInit {
  /** For all attempts together, and for reading the answer. Default 10 s. */
  readonly deadline?: Duration;
  /** How many attempts there may be. Default 3; fewer when retries are more than a fifth of all requests. */
  readonly attempts?: number;
}

export interface Destination {
  readonly balancer: Balancer;
  readonly budget: RetryBudget;
}

/** What HTTP lets be asked twice. */
const repeatable = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

/** What changes nothing. */
const reads = new Set(['GET', 'HEAD', 'OPTIONS']);

/** The instance, or something before it, is in trouble. */
const worthAnother = new Set([502, 503, 504]);

/** `fetch` to a service by its name: `http://query/rides?day=3`. */
export async function meshFetch(
  input: string | URL | Request,
  { deadline = 10_000, attempts = 3, ...init }: MeshRequestInit,
  destination: (service: string) => Destination,
): Promise<Response> {
  const ms = milliseconds('deadline', deadline);
  checkNumber('attempts', attempts, 1, 100);
  const url = new URL(input instanceof Request ? input.url : input);
  if (url.protocol !== 'http:') {
    throw new InvalidArgumentError('url', 'a URL that begins with "http://"; for TLS run a sidecar', url.href);
  }
  checkHost(url.hostname);
  if (url.port !== '') throw new InvalidArgumentError('url.port', 'none: each instance has one of its own', url.port);
  const request = new Request(input, init);
  checkHonoured(request, init);
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(ms)]);
  const service = url.hostname;
  const { balancer, budget } = destination(service);
  const once = !replayable(input, init.body);
  const again = repeatable.has(request.method);
  const delays = backoff({ min: 10, max: 250 });
  const tried: ServiceInstance[] = [];
  // Whether an instance may have heard it.
  let sent = false;
  const inDoubt = (): boolean => sent && !reads.has(request.method);
  // Whether the last request went to the instance: where a redirect leads to is not the instance that redirected.
  let [home, itself] = ['', true];
  const send = async ({ url, method, headers, withBody }: Step): Promise<Response> => {
    itself = url.origin === home;
    const body = withBody && (once ? request : request.clone()).body;
    const rest = { signal, ...(body && { body, duplex: 'half' }) } as RequestInit;
    try {
      // Redirects are not left to `fetch`, which does not say whether it was the instance that could not be reached.
      return await fetch(url, { method, headers, redirect: 'manual', ...rest });
    } catch (error) {
      throw refusedPort(error, url) ?? error;
    }
  };
  // What ends it after the instance may have heard of it.
  const ended = (error: unknown): unknown => {
    if (!inDoubt()) return error;
    return request.signal.aborted ? doubtful(error) : unanswered(request, service, error);
  };
  budget.earn();
  for (;;) {
    const attempt = tried.length + 1;
    const more = (): boolean => (!once || !request.bodyUsed) && attempt < attempts && budget.spend();
    const picked = inTime(balancer.pick({ signal, except: tried }), request, ms, balancer);
    const endpoint = await picked.catch((error) => {
      throw ended(error);
    });
    tried.push(endpoint.instance);
    itself = true;
    let reading = false;
    try {
      const target = urlAt(endpoint, url);
      home = target.origin;
      const { method, headers, body } = request;
      const step = { url: target, method, headers, withBody: body !== null };
      let response = await send(step);
      sent = true;
      if (request.redirect === 'follow') response = await follow(response, step, send);
      if (request.redirect === 'error' && isRedirect(response)) {
        await response.body?.cancel();
        // Not awaited: it is no failure to be caught below.
        return Promise.reject(unwanted(request, service, response));
      }
      if (!worthAnother.has(response.status)) {
        reading = itself;
        if (reading) whenOver(response.body, endpoint, signal, request.signal);
        return response;
      }
      if (itself) endpoint.failed();
      if (!again || !more()) return response;
      await response.body?.cancel();
    } catch (error) {
      // The error is the caller's reason then, and its cause says nothing about this request.
      const unsent = error instanceof Unsendable || (error instanceof Error && neverSent(error.cause));
      sent ||= request.signal.aborted || !unsent;
      if (request.signal.aborted) {
        if (itself) endpoint.abandoned();
        throw inDoubt() ? doubtful(request.signal.reason) : request.signal.reason;
      }
      if (itself) endpoint.failed();
      if (inDoubt() && (!again || signal.aborted)) throw unanswered(request, service, error);
      if (signal.aborted) throw tooLate(service, ms, error);
      if (!more()) {
        if (inDoubt()) throw unanswered(request, service, error);
        throw new ServiceUnreachableError(service, attempt, { happened: sent ? 'unknown' : 'no', cause: error });
      }
    } finally {
      if (!reading) endpoint[Symbol.dispose]();
    }
    await inTime(sleep(delays.next(), { signal }), request, ms, balancer).catch((error) => {
      throw ended(error);
    });
  }
}

/** A service by its name: who has an address needs no mesh. */
function checkHost(hostname: string): void {
  if (isIP(hostname.replace(/^\[|\]$/g, '')) > 0)
    throw new InvalidArgumentError('url.hostname', 'the name of a service', hostname);
  checkService('url.hostname', hostname);
}

/** What would be left out without a word. */
function checkHonoured({ integrity }: Request, init: object): void {
  if (integrity !== '') throw new InvalidArgumentError('integrity', 'none: verify what you have read', integrity);
  if ((init as { readonly dispatcher?: unknown }).dispatcher) {
    throw new InvalidArgumentError('dispatcher', 'none: requests go to the instances directly');
  }
}

/** A stream can be read once. */
function replayable(input: string | URL | Request, body: RequestInit['body']): boolean {
  if (input instanceof Request && input.body) return false;
  return (
    !(body instanceof ReadableStream) && !(typeof body === 'object' && body !== null && Symbol.asyncIterator in body)
  );
}

/** Our deadline is told as such; the caller's reason as it is. */
async function inTime<T>(promise: Promise<T>, request: Request, ms: number, balancer: Balancer): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    request.signal.throwIfAborted();
    if (isQuorateError(error)) throw error;
    throw tooLate(balancer.service, ms, balancer.failure ?? error);
  }
}

function unanswered({ method }: Request, service: string, cause: unknown): AmbiguousError {
  return new AmbiguousError(`${method} ${service}: no answer; it may or may not have been done`, { cause });
}

/** The caller wants no redirect, which is no failure of the instance; but a write that was answered by one was done, maybe. */
function unwanted({ method }: Request, service: string, { status, headers }: Response): Error {
  const what = `${method} ${service}: answered by a redirect (${status}, to ${headers.get('location')}), with redirect: 'error'`;
  const error = new TypeError(what);
  return reads.has(method) ? error : new AmbiguousError(`${what}; it may or may not have been done`, { cause: error });
}

function tooLate(service: string, ms: number, cause: unknown): DeadlineExceededError {
  const why = isQuorateError(cause) ? `; ${cause.message}` : '';
  return new DeadlineExceededError(`${service}: no answer within ${ms} ms${why}`, { cause });
}
