import type { IncomingMessage } from 'node:http';
import { AmbiguousError, type QuorateError } from '@quorate/core';
import { AgentCertificateError } from '../errors/agent-certificate-error.ts';
import { AgentUnreachableError } from '../errors/agent-unreachable-error.ts';
import { ConsulError } from '../errors/consul-error.ts';
import { MalformedReplyError } from '../errors/malformed-reply-error.ts';
import { NotFoundError } from '../errors/not-found-error.ts';
import { PermissionDeniedError } from '../errors/permission-denied-error.ts';
import { ReplyTooLargeError } from '../errors/reply-too-large-error.ts';
import { neverSent } from '../never-sent.ts';
import { Misshapen, TooLarge } from './bounded-transport.ts';

/** What was asked, for the message of an error. */
export interface Asked {
  readonly operation: string;
  readonly address: string;
  /** Whether it changes something: then a lost answer leaves open what became of it. */
  readonly writes: boolean;
  readonly maxReplySize: number;
  readonly whole: boolean;
}

/** What servers put before an error that they pass on. */
const passedOn = /^(?:(?:rpc error making call|raft apply failed): )+/;

/**
 * What servers say when they have not begun: there is no leader, too many requests, or the agent reaches no server. The
 * whole text has to be one of these: a proxy in between words its own errors as it was told to, and may say "connection
 * refused" of its last attempt when an earlier one arrived.
 */
const notBegun = new RegExp(
  `^(?:${[
    'No cluster leader',
    'node is not the leader',
    'leadership transfer in progress',
    'Raft leader not found in server lookup mapping',
    'No known Consul servers',
    'No path to datacenter',
    'Remote DC has no server currently reachable',
    'Not ready to serve consistent reads',
    'rpc error getting client: failed to get conn: dial tcp \\S+: connect: connection refused',
    'RPC rate limit exceeded',
    'Rate limit reached, try again later',
    'rate limit exceeded, try again later or against a different server',
    'rate limit exceeded for operation that can only be performed by the leader, try again later',
  ].join('|')})$`,
);

/** What a proxy says instead of Consul: an HTML page, or what Envoy says when nobody told it what to say. */
const proxySaid = /^<|^upstream |^no healthy upstream|^(?:stream|request) timeout/i;

/** Answers that a proxy gives as well, also when it passed the request on, or that only say that somebody stopped waiting. */
const unclear = new Set([408, 499, 502, 503, 504]);

/** What they say when the answer was lost on its way, or the leader fell in the middle. */
const lostAnswer =
  /leadership|rpc error|EOF|time(?:d )?out|deadline|broken pipe|connection reset|closed network connection|shut ?down|session closed/i;

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refuses connections',
  ENOTFOUND: 'has a host name that does not resolve',
  EAI_AGAIN: 'has a host name that could not be looked up',
};

/** What the package throws. Its errors hold the request with the token in it, so they never become a cause. */
export interface PackageError extends NodeJS.ErrnoException {
  readonly response?: IncomingMessage & { body?: unknown };
  readonly isCodec?: boolean;
}

/** What is told of such an error. */
function told({ message, code, syscall }: PackageError): Error {
  return Object.assign(new Error(message), { ...(code && { code }), ...(syscall && { syscall }) });
}

/** `timedOut`: after so many milliseconds we gave up. */
export function failure(error: PackageError, asked: Asked, timedOut: number | undefined): QuorateError {
  const { operation, address, writes } = asked;
  // Whatever goes wrong with an answer, the package hangs it on the error.
  if (error.response && (error.response.statusCode ?? 0) >= 300) return refusal(error.response, asked);
  if (error instanceof TooLarge) return new ReplyTooLargeError(operation, asked.maxReplySize);
  if (error instanceof Misshapen) return new MalformedReplyError(operation, address, 'it has another shape');
  if (error.isCodec) return new MalformedReplyError(operation, address, 'it cannot be decoded');
  const code = timedOut === undefined ? (error.code ?? '') : '';
  const tls = timedOut === undefined ? tlsTrouble(error) : undefined;
  if (tls) return new AgentCertificateError(operation, address, tls, told(error));
  if (timedOut === undefined && neverSent(error)) {
    const why = words[code] ?? `cannot be reached (${code})`;
    return new AgentUnreachableError(operation, address, why, { happened: 'no', cause: told(error) });
  }
  if (code.startsWith('HPE_')) return new MalformedReplyError(operation, address, 'it is not HTTP', told(error));
  const why =
    timedOut === undefined ? `broke the connection (${code || error.message})` : `did not answer within ${timedOut} ms`;
  const cause = timedOut === undefined ? told(error) : undefined;
  if (!writes) return new AgentUnreachableError(operation, address, why, { happened: 'unknown', cause });
  const what = `${operation}: the Consul agent at ${address} ${why}; it may or may not have been done`;
  return new AmbiguousError(what, { cause });
}

/** Without the right to see something Consul leaves it out instead of refusing, and with nothing left it may say 404. */
export function isFiltered({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return headers['x-consul-results-filtered-by-acls'] === 'true';
}

export function leftOut(operation: string): PermissionDeniedError {
  return new PermissionDeniedError(operation, 403, 'results were left out that this token may not see');
}

function refusal(response: NonNullable<PackageError['response']>, asked: Asked): QuorateError {
  const { operation, writes } = asked;
  const status = response.statusCode ?? 0;
  const { body } = response;
  const said = typeof body === 'string' || Buffer.isBuffer(body) ? String(body).trim().slice(0, 500) : '';
  const text = said || (response.statusMessage ?? '');
  if (status === 401 || status === 403) return new PermissionDeniedError(operation, status, text);
  if (status === 404) {
    return asked.whole && isFiltered(response) ? leftOut(operation) : new NotFoundError(operation, text);
  }
  const reason = text.replace(passedOn, '');
  if (status === 500 && /^(?:ACL not found|Permission denied)/i.test(reason))
    return new PermissionDeniedError(operation, status, text);
  if (status === 400 && /HTTP request to an HTTPS server/i.test(text)) {
    return new AgentCertificateError(operation, asked.address, 'it speaks TLS; the address must begin with https:');
  }
  if (status === 429 || (status >= 500 && notBegun.test(reason))) {
    return new ConsulError(operation, status, text, { retryable: true });
  }
  const ours = !proxySaid.test(text) && !unclear.has(status);
  const lost = unclear.has(status) || (status >= 500 && (!ours || lostAnswer.test(text)));
  // A leader that fell while it wrote may have written, and a proxy may have passed the write on.
  if (lost && writes) {
    const who = ours ? 'Consul' : 'Consul, or a proxy before it,';
    return new AmbiguousError(`${operation}: ${who} answered ${status}: ${text}; it may or may not have been done`);
  }
  // It answers 500 to some bad requests as well: what it means by one that we do not know is open.
  const refused = ours && (status < 500 || /^(?:invalid|missing) /i.test(reason));
  return new ConsulError(operation, status, text, { retryable: lost, happened: refused ? 'no' : 'unknown' });
}

/** In words, when TLS is what failed. */
function tlsTrouble({ code = '', message }: NodeJS.ErrnoException): string | undefined {
  if (code === 'CERT_HAS_EXPIRED') return 'its certificate has expired';
  if (code === 'CERT_NOT_YET_VALID') return 'its certificate is not valid yet';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'its certificate is for another name';
  if (/^(?:DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_)/.test(code)) {
    return 'its certificate was signed by an authority that is not trusted here';
  }
  if (/expired/i.test(message) && code.startsWith('ERR_SSL'))
    return 'it does not accept our certificate: it has expired';
  if (/^ERR_SSL_.*(?:CERTIFICATE|ALERT)/.test(code)) return `it does not accept our certificate (${code})`;
  if (/^(?:ERR_SSL|ERR_TLS|CERT_|CRL_)|^EPROTO$/.test(code)) return code;
  return undefined;
}
