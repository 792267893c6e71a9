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
import { TooLarge } from './bounded-transport.ts';

/** What was asked, for the message of an error. */
export interface Asked {
  readonly operation: string;
  readonly address: string;
  /** Whether asking twice does no harm: then a lost answer is a failure and nothing worse. */
  readonly repeatable: boolean;
  readonly maxReplySize: number;
  readonly whole: boolean;
}

/** What servers say when they have not begun: there is no leader, too many requests, or the agent reaches no server. */
const notBegun =
  /no cluster leader|not the leader|leadership transfer in progress|leader not found|no known consul servers|no path to|connection refused|not ready|rate limit exceeded/i;

/**
 * What a proxy says instead of Consul: an HTML page, or what Envoy says. It may have passed the request on before, so this
 * tells nothing about what became of it, even when the last of its own attempts was refused.
 */
const proxySaid = /^<|^upstream |^no healthy upstream|^(?:stream|request) timeout/i;

/** Answers below 500 that only say that somebody stopped waiting: the rest are refusals. */
const gaveUp = new Set([408, 499]);

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

/** `timedOut`: after so many milliseconds we gave up. */
export function failure(error: PackageError, asked: Asked, timedOut: number | undefined): QuorateError {
  const { operation, address, repeatable } = asked;
  // Whatever goes wrong with an answer, the package hangs it on the error.
  if (error.response && (error.response.statusCode ?? 0) >= 300) return refusal(error.response, asked);
  if (error instanceof TooLarge) return new ReplyTooLargeError(operation, asked.maxReplySize);
  if (error.isCodec) return new MalformedReplyError(operation, address, 'it cannot be decoded');
  const code = timedOut === undefined ? (error.code ?? '') : '';
  const tls = timedOut === undefined ? tlsTrouble(error) : undefined;
  if (tls) return new AgentCertificateError(operation, address, tls, error);
  if (timedOut === undefined && neverSent(error)) {
    const why = words[code] ?? `cannot be reached (${code})`;
    return new AgentUnreachableError(operation, address, why, { happened: 'no', cause: error });
  }
  if (code.startsWith('HPE_')) return new MalformedReplyError(operation, address, 'it is not HTTP', error);
  const why =
    timedOut === undefined ? `broke the connection (${code || error.message})` : `did not answer within ${timedOut} ms`;
  if (repeatable) {
    const cause = timedOut === undefined ? error : undefined;
    return new AgentUnreachableError(operation, address, why, { happened: 'unknown', cause });
  }
  return new AmbiguousError(`${operation}: the Consul agent at ${address} ${why}; it may or may not have been done`);
}

function refusal(response: NonNullable<PackageError['response']>, asked: Asked): QuorateError {
  const { operation, repeatable } = asked;
  const status = response.statusCode ?? 0;
  const { body } = response;
  const said = typeof body === 'string' || Buffer.isBuffer(body) ? String(body).trim().slice(0, 500) : '';
  const text = said || (response.statusMessage ?? '');
  if (status === 401 || status === 403) return new PermissionDeniedError(operation, status, text);
  if (status === 404) return new NotFoundError(operation, text);
  if (/ACL not found|Permission denied/i.test(text)) return new PermissionDeniedError(operation, status, text);
  if (status === 400 && /HTTP request to an HTTPS server/i.test(text)) {
    return new AgentCertificateError(operation, asked.address, 'it speaks TLS; the address must begin with https:');
  }
  const ours = !proxySaid.test(text);
  if (status === 429 || (status >= 500 && ours && notBegun.test(text))) {
    return new ConsulError(operation, status, text, { retryable: true });
  }
  const lost =
    gaveUp.has(status) || (status >= 500 && (!ours || [502, 503, 504].includes(status) || lostAnswer.test(text)));
  // A leader that fell while it wrote may have written, and a proxy may have passed the write on.
  if (lost && !repeatable) {
    const who = ours && lostAnswer.test(text) ? 'Consul' : 'Consul, or a proxy before it,';
    return new AmbiguousError(`${operation}: ${who} answered ${status}: ${text}; it may or may not have been done`);
  }
  // It answers 500 to some bad requests as well: what it means by one that we do not know is open.
  const refused = status < 500 ? !lost && ours : /^invalid |^missing /i.test(text);
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
