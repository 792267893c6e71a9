import type { IncomingMessage } from 'node:http';
import { AmbiguousError, type QuorateError } from '@quorate/core';
import { AgentCertificateError } from '../errors/agent-certificate-error.ts';
import { AgentUnreachableError } from '../errors/agent-unreachable-error.ts';
import { ConsulError } from '../errors/consul-error.ts';
import { MalformedReplyError } from '../errors/malformed-reply-error.ts';
import { NotFoundError } from '../errors/not-found-error.ts';
import { PermissionDeniedError } from '../errors/permission-denied-error.ts';
import { ReplyTooLargeError } from '../errors/reply-too-large-error.ts';
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

/** Failures before anything was sent. */
const notSent = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOENT', 'EACCES']);

/** What servers say when they have not begun: there is no leader, or the agent reaches no server. */
const notBegun =
  /no cluster leader|not the leader|leadership transfer in progress|leader not found|no known consul servers|no path to|connection refused|not ready/i;

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
  if (notSent.has(code)) {
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
  if (status === 429 || status === 503 || (status >= 500 && notBegun.test(text))) {
    return new ConsulError(operation, status, text, { retryable: true });
  }
  const lost = status >= 500 && lostAnswer.test(text);
  // A leader that fell while it wrote may have written.
  if (lost && !repeatable) {
    return new AmbiguousError(`${operation}: Consul answered ${status}: ${text}; it may or may not have been done`);
  }
  // It answers 500 to some bad requests as well: what it means by one that we do not know is open.
  const happened = status < 500 || /^invalid |^missing /i.test(text) ? 'no' : 'unknown';
  return new ConsulError(operation, status, text, { retryable: lost, happened });
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
