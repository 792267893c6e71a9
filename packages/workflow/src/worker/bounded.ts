import { ApplicationFailure } from '@temporalio/common';

/** Of a message; of a stack, which begins with it; and of what is told beside them. */
const longest = { message: 10_000, stack: 20_000, type: 1_000, details: 100_000 };
/** How many errors behind an error are told. */
const deepest = 10;

/**
 * An error that can be sent. One that is too large would count as an attempt of which nobody has heard, and be tried again whatever it says; and one that is
 * very long fills the history at each attempt.
 */
export function bounded(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return typeof error === 'string' ? cut(error, longest.message) : told(error);
  const cause = error.cause === undefined || depth >= deepest ? undefined : bounded(error.cause, depth + 1);
  if (error instanceof ApplicationFailure) return boundedFailure(error, cause);
  try {
    if (error.message.length > longest.message) error.message = cut(error.message, longest.message);
    if ((error.stack?.length ?? 0) > longest.stack) error.stack = cut(error.stack ?? '', longest.stack);
    if (error.cause !== undefined) error.cause = cause;
    return error;
  } catch {
    // It can not be changed.
    return ApplicationFailure.create({ message: cut(String(error.message), longest.message), type: error.name });
  }
}

function boundedFailure(failure: ApplicationFailure, cause: unknown): ApplicationFailure {
  const { message, type, nonRetryable, details, nextRetryDelay, category, stack = '' } = failure;
  const tooLarge = details != null && sizeOf(details) > longest.details;
  const small = ApplicationFailure.create({
    message: cut(message, longest.message) + (tooLarge ? ' (its details were too large, and are left out)' : ''),
    type: cut(type ?? 'error', longest.type),
    nonRetryable: nonRetryable === true,
    ...(details != null && !tooLarge && { details: [...details] }),
    ...(nextRetryDelay != null && { nextRetryDelay }),
    ...(category != null && { category }),
    ...(cause instanceof Error && { cause }),
  });
  small.stack = cut(stack, longest.stack);
  return small;
}

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}

/** Something that was thrown, and is no error. */
function told(value: unknown): unknown {
  return sizeOf(value) > longest.details ? 'something too large to be sent was thrown' : value;
}

function sizeOf(value: unknown): number {
  try {
    return JSON.stringify(value)?.length ?? 0;
  } catch {
    return Infinity;
  }
}
