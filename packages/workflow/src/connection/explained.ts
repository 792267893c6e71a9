import {
  AmbiguousError,
  DeadlineExceededError,
  InvalidArgumentError,
  isQuorateError,
  type QuorateError,
} from '@quorate/core';
import {
  isGrpcServiceError,
  QueryNotRegisteredError,
  ServiceError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { NamespaceNotFoundError, ValueError, WorkflowNotFoundError } from '@temporalio/common';
import { messageOf, reasonOf } from '../carried/innermost.ts';
import { NotAuthorizedError } from '../errors/not-authorized-error.ts';
import { RefusedByWorkflowError } from '../errors/refused-by-workflow-error.ts';
import { RefusedError } from '../errors/refused-error.ts';
import { TemporalUnreachableError } from '../errors/temporal-unreachable-error.ts';
import { UnknownNamespaceError } from '../errors/unknown-namespace-error.ts';
import { UnknownWorkflowError } from '../errors/unknown-workflow-error.ts';
import { status } from './status.ts';

export interface Asked {
  /** For people, as the beginning of a sentence. */
  readonly what: string;
  /** Whether it changes something: then a lost answer leaves open whether it was done. */
  readonly writes: boolean;
  /** The id of the workflow it is about. */
  readonly id?: string;
}

/** The same error in our words: what happened, and what to do. */
export function explained(error: unknown, { what, writes, id = '' }: Asked): QuorateError | unknown {
  // The time for it was over before the library said so.
  if (isQuorateError(error, 'deadline-exceeded')) return lost(what, writes, error);
  if (isQuorateError(error)) return error;
  if (error instanceof ValueError) return new InvalidArgumentError('args', `what JSON can say (${error.message})`);
  if (error instanceof WorkflowNotFoundError) return new UnknownWorkflowError(what, id, { cause: error });
  if (error instanceof NamespaceNotFoundError) return new UnknownNamespaceError(error.namespace, { cause: error });
  if (error instanceof QueryNotRegisteredError)
    return new RefusedByWorkflowError(what, { id, reason: 'query-refused', why: error.message, cause: error });
  if (error instanceof WorkflowUpdateFailedError)
    return new RefusedByWorkflowError(what, {
      id,
      reason: reasonOf(error.cause),
      why: messageOf(error.cause),
      cause: error,
    });
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return lost(what, writes, error);
  const cause = error instanceof ServiceError ? error.cause : error;
  if (!isGrpcServiceError(cause)) return error;
  const why = cause.details || cause.message;
  switch (cause.code) {
    case status.unavailable:
    case status.unknown:
    case status.internal:
    case status.aborted:
    case status.dataLoss:
      return writes ? lost(what, writes, error) : new TemporalUnreachableError(what, { cause: error });
    case status.deadlineExceeded:
    case status.cancelled:
      return lost(what, writes, error);
    case status.permissionDenied:
    case status.unauthenticated:
      return new NotAuthorizedError(what, why, { cause: error });
    case status.notFound:
      return id === ''
        ? new RefusedError(what, why, { cause: error })
        : new UnknownWorkflowError(what, id, { cause: error });
    case status.resourceExhausted:
      return new RefusedError(what, why, { cause: error, retryable: true });
    default:
      return new RefusedError(what, why, { cause: error });
  }
}

function lost(what: string, writes: boolean, cause: unknown): QuorateError {
  if (writes)
    return new AmbiguousError(`${what}: Temporal has not answered, so nobody knows whether it was done`, { cause });
  return new DeadlineExceededError(`${what}: Temporal has not answered in time`, { cause });
}
