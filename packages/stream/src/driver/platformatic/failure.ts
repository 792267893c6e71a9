import { AmbiguousError, type QuorateError } from '@quorate/core';
import { AuthenticationFailedError } from '../../errors/authentication-failed-error.ts';
import { KafkaUnreachableError } from '../../errors/kafka-unreachable-error.ts';
import { RefusedError } from '../../errors/refused-error.ts';
import { type Asked, refusal } from '../refusal.ts';

/** An attempt that has failed and may go better the next time; `failure` is what to say when there is none. */
export class Again extends Error {
  readonly failure: QuorateError;
  /** By Kafka's name: a broker has answered so. Undefined when none has answered. */
  readonly reason: string | undefined;

  constructor(failure: QuorateError, reason?: string) {
    super(failure.message, { cause: failure });
    this.failure = failure;
    this.reason = reason;
  }
}

/** Answers of a broker that does not know yet, or not any more, what it will know soon. */
const passing: ReadonlySet<string> = new Set([
  'BROKER_NOT_AVAILABLE',
  'CONCURRENT_TRANSACTIONS',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'COORDINATOR_NOT_AVAILABLE',
  'FENCED_LEADER_EPOCH',
  'INCONSISTENT_TOPIC_ID',
  'KAFKA_STORAGE_ERROR',
  'LEADER_NOT_AVAILABLE',
  'NETWORK_EXCEPTION',
  'NOT_CONTROLLER',
  'NOT_COORDINATOR',
  'NOT_LEADER_OR_FOLLOWER',
  'OFFSET_NOT_AVAILABLE',
  'REPLICA_NOT_AVAILABLE',
  'REQUEST_TIMED_OUT',
  'THROTTLING_QUOTA_EXCEEDED',
  'UNKNOWN_LEADER_EPOCH',
  'UNSTABLE_OFFSET_COMMIT',
]);

/** Refusals of requests that only this driver makes by itself. */
const refused: ReadonlySet<string> = new Set([
  'GROUP_MAX_SIZE_REACHED',
  'INCONSISTENT_GROUP_PROTOCOL',
  'INVALID_COMMIT_OFFSET_SIZE',
  'INVALID_PRODUCER_ID_MAPPING',
  'INVALID_REQUEST',
  'INVALID_TRANSACTION_TIMEOUT',
  'INVALID_TXN_STATE',
  'OFFSET_METADATA_TOO_LARGE',
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'SECURITY_DISABLED',
  'TRANSACTION_ABORTABLE',
  'UNKNOWN_PRODUCER_ID',
]);

/** What a broker's answer means that is not `NONE`. */
export function complaint(reason: string, asked: Asked): Again | QuorateError {
  const cause = new Error(reason);
  if (passing.has(reason)) return new Again(new KafkaUnreachableError(asked.what, { cause }), reason);
  const known = refusal(reason, asked, cause);
  if (known) return known;
  if (refused.has(reason)) return new RefusedError(asked.what, reason, { cause });
  return new AmbiguousError(`${asked.what}: Kafka answers ${reason}`, { cause });
}

/** What to say of a connection that there is not, or not any more. */
export function unreachable(what: string, error: unknown): Again | AuthenticationFailedError {
  const cause = plain(error);
  const why = refusedLogin(error);
  if (why) return new AuthenticationFailedError(why, { cause });
  return new Again(new KafkaUnreachableError(what, { cause }));
}

/** The same failure without what the library hangs on it: options with passwords, requests with messages, whole connections. */
function plain(error: unknown): Error | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = error as { readonly code?: unknown };
  // Others come from a token's provider, or hold what was to be written.
  if (typeof code !== 'string' || !/^(PLT_KFK_|E[A-Z]|CERT_|UNABLE_|DEPTH_|SELF_)/.test(code)) return undefined;
  const [first] = (error as { readonly errors?: readonly unknown[] }).errors ?? [];
  // Whoever has no token says why.
  const told = code === 'PLT_KFK_AUTHENTICATION' && error.cause instanceof Error && new Error(error.cause.message);
  const cause = plain(error.cause ?? first) ?? (told || undefined);
  const { message } = error;
  return Object.assign(new Error(message || code, cause && { cause }), { code });
}

const certificate = /^(ERR_TLS|ERR_SSL|EPROTO$|CERT_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED)/;

function refusedLogin(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, apiId, errors } = error as { readonly code?: unknown; readonly apiId?: unknown; errors?: unknown[] };
  if (apiId === 'SASL_AUTHENTICATION_FAILED' || apiId === 'ILLEGAL_SASL_STATE') return apiId;
  if (apiId === 'UNSUPPORTED_SASL_MECHANISM') return apiId;
  if (typeof code === 'string' && certificate.test(code)) return code;
  if (error.message === 'Broker requires TLS.') return error.message;
  // Whoever looks at certificates by itself refuses them with an error of its own.
  const { cause } = error;
  const strange = cause instanceof Error && !('code' in cause) && !('errors' in cause);
  if (strange && /^Connection to .* failed\.$/.test(error.message)) return cause.message;
  for (const inner of [error.cause, ...(errors ?? [])]) {
    const found = refusedLogin(inner);
    if (found) return found;
  }
  return code === 'PLT_KFK_AUTHENTICATION' ? error.message : undefined;
}
