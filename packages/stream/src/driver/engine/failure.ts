import { AmbiguousError, type QuorateError } from '@quorate/core';
import { AuthenticationFailedError } from '../../errors/authentication-failed-error.ts';
import { KafkaUnreachableError } from '../../errors/kafka-unreachable-error.ts';
import { RefusedError } from '../../errors/refused-error.ts';
import { type Asked, refusal } from '../refusal.ts';
import type { WireMaker } from '../wire.ts';
import { LineEnded } from './line-ended.ts';
import { MalformedAnswerError } from './protocol/malformed-answer-error.ts';

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
  // To a request on a connection that was let in: its state is lost, and the login as good as before.
  'ILLEGAL_SASL_STATE',
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

/** Refusals of requests that only the engine makes by itself. */
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
export function unreachable(
  what: string,
  error: unknown,
  wires: Pick<WireMaker, 'plain' | 'refusedLogin'>,
): Again | AuthenticationFailedError {
  const cause = ours(error) ? error : wires.plain(error);
  const why = wires.refusedLogin(error);
  if (why) return new AuthenticationFailedError(why, { cause });
  return new Again(new KafkaUnreachableError(what, { cause }));
}

function ours(error: unknown): boolean {
  return error instanceof LineEnded || error instanceof MalformedAnswerError;
}
