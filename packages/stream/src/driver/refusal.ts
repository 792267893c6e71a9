import type { QuorateError } from '@quorate/core';
import { AuthenticationFailedError } from '../errors/authentication-failed-error.ts';
import { FencedProducerError } from '../errors/fenced-producer-error.ts';
import { MessageTooLargeError } from '../errors/message-too-large-error.ts';
import { NotAMemberError } from '../errors/not-a-member-error.ts';
import { NotAuthorizedError } from '../errors/not-authorized-error.ts';
import { RefusedError } from '../errors/refused-error.ts';
import { UnknownTopicError } from '../errors/unknown-topic-error.ts';

/** What was asked for, and of whom, for the message of an error. */
export interface Asked {
  /** `publish to "rides"`. */
  readonly what: string;
  readonly topic?: string;
  readonly group?: string;
  readonly transactionalId?: string;
}

/** The broker's answer, by Kafka's name for it, was a refusal: nothing was done. Undefined for answers after which nobody knows. */
export function refusal(reason: string, asked: Asked, cause: unknown): QuorateError | undefined {
  const { what, topic = '', group = '', transactionalId = '' } = asked;
  switch (reason) {
    case 'UNKNOWN_TOPIC_OR_PARTITION':
    case 'UNKNOWN_TOPIC_ID':
      return new UnknownTopicError(topic, { cause });
    case 'MESSAGE_TOO_LARGE':
    case 'RECORD_LIST_TOO_LARGE':
      return new MessageTooLargeError(`${what}: Kafka takes no messages of this size`, { cause });
    case 'TOPIC_AUTHORIZATION_FAILED':
    case 'GROUP_AUTHORIZATION_FAILED':
    case 'CLUSTER_AUTHORIZATION_FAILED':
    case 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED':
      return new NotAuthorizedError(what, { cause });
    case 'SASL_AUTHENTICATION_FAILED':
    case 'UNSUPPORTED_SASL_MECHANISM':
      return new AuthenticationFailedError(reason, { cause });
    case 'INVALID_PRODUCER_EPOCH':
    case 'PRODUCER_FENCED':
      return new FencedProducerError(transactionalId, { cause });
    case 'ILLEGAL_GENERATION':
    case 'UNKNOWN_MEMBER_ID':
    case 'REBALANCE_IN_PROGRESS':
    case 'FENCED_INSTANCE_ID':
    case 'STALE_MEMBER_EPOCH':
      return new NotAMemberError(group, reason, { cause });
    case 'INVALID_TOPIC_EXCEPTION':
    case 'INVALID_PARTITIONS':
    case 'INVALID_REPLICATION_FACTOR':
    case 'INVALID_CONFIG':
    case 'INVALID_RECORD':
    case 'INVALID_TIMESTAMP':
    case 'INVALID_REQUIRED_ACKS':
    case 'INVALID_GROUP_ID':
    case 'INVALID_SESSION_TIMEOUT':
    case 'POLICY_VIOLATION':
    case 'UNSUPPORTED_VERSION':
    case 'UNSUPPORTED_FOR_MESSAGE_FORMAT':
    case 'CORRUPT_MESSAGE':
    case 'NON_EMPTY_GROUP':
    case 'GROUP_ID_NOT_FOUND':
    case 'TRANSACTIONAL_ID_NOT_FOUND':
      return new RefusedError(what, reason, { cause });
    // Written by the leader, and perhaps by nobody else.
    case 'NOT_ENOUGH_REPLICAS_AFTER_APPEND':
      return undefined;
    case 'NOT_ENOUGH_REPLICAS':
      return new RefusedError(what, reason, { cause, retryable: true });
    default:
      return undefined;
  }
}
