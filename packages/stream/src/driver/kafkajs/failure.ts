import { AmbiguousError, isQuorateError, type QuorateError } from '@quorate/core';
import { AuthenticationFailedError } from '../../errors/authentication-failed-error.ts';
import { KafkaUnreachableError } from '../../errors/kafka-unreachable-error.ts';
import { RefusedError } from '../../errors/refused-error.ts';
import { type Asked, refusal } from '../refusal.ts';
import { loginFailed } from './login.ts';
import { kafkaName, nameOf } from './reasons.ts';

/** What a broker answered, where the package would have thrown the first answer of many. */
export class Answer extends Error {
  readonly type: string;

  constructor(code: number) {
    super(`Kafka answers ${nameOf(code)}`);
    this.name = 'Answer';
    this.type = nameOf(code);
  }
}

/** An error of the package: it wraps one in another when it has tried again. */
interface PackageError extends Error {
  readonly type?: unknown;
  readonly code?: unknown;
}

/** The innermost error. Those of the package say what a broker answered or which address it was: no secrets, and nothing of messages. */
export function root(error: unknown): PackageError {
  let inner = error;
  while (inner instanceof Error && inner.cause instanceof Error && !isQuorateError(inner) && inner.name !== loginFailed)
    inner = inner.cause;
  // Several at once, when topics are made: there is only ever one.
  const [first] = inner instanceof Error && 'errors' in inner && Array.isArray(inner.errors) ? inner.errors : [];
  if (first instanceof Error) return first;
  return inner instanceof Error ? inner : new Error(String(inner));
}

/** What the broker answered, by Kafka's name; undefined when it did not. */
export function reasonOf(error: unknown): string | undefined {
  const { type, message } = root(error);
  return typeof type === 'string' ? kafkaName(type, message) : undefined;
}

/** TLS as Node names it: certificates that are not trusted or do not fit, and peers that speak something else. */
const tlsCodes = /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|EPROTO$)/;

function notLetIn({ name, code }: PackageError): boolean {
  return name === loginFailed || tlsCodes.test(String(code ?? ''));
}

/**
 * The error to give to a caller. `doubt`: something was sent whose outcome nobody knows, so that a refusal of what was sent
 * again says nothing of it.
 */
export function failure(
  error: unknown,
  asked: Asked,
  { doubt = false, writes = false }: { readonly doubt?: boolean; readonly writes?: boolean } = {},
): QuorateError {
  const inner = root(error);
  if (doubt) return new AmbiguousError(`${asked.what}: the broker did not answer`, { cause: inner });
  if (isQuorateError(inner)) return inner;
  if (notLetIn(inner)) return new AuthenticationFailedError(inner.message, { cause: inner });
  const reason = reasonOf(inner);
  if (reason === undefined) return new KafkaUnreachableError(asked.what, { cause: inner });
  const refused = refusal(reason, asked, inner);
  if (refused) return refused;
  if (notNow.has(reason)) return new KafkaUnreachableError(asked.what, { cause: inner });
  if (writes) return new AmbiguousError(`${asked.what}: Kafka answers ${reason}`, { cause: inner });
  return new RefusedError(asked.what, reason, { cause: inner });
}

/** There is a broker, and it, or the one it needs, cannot answer now. Nothing was done. */
const notNow: ReadonlySet<string> = new Set([
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_OR_FOLLOWER',
  'BROKER_NOT_AVAILABLE',
  'REPLICA_NOT_AVAILABLE',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR',
  'NOT_CONTROLLER',
  'CONCURRENT_TRANSACTIONS',
  'OFFSET_NOT_AVAILABLE',
  'UNSTABLE_OFFSET_COMMIT',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'KAFKA_STORAGE_ERROR',
  'THROTTLING_QUOTA_EXCEEDED',
]);

/** Whether the same again is of no use, until somebody changes something. */
export function hopeless(error: QuorateError): boolean {
  return error.happened === 'no' && !error.retryable && error.code !== 'not-a-member';
}
