import { isQuorateError } from './quorate-error.ts';

/**
 * A copy of the error for work of which an earlier part was done, or may have been: it says `unknown`, and is not `retryable`
 * unless the work is `idempotent`. The error itself is left as it is: others may hold it too. Anything else than a
 * `QuorateError` is returned unchanged. Private fields (`#name`) of a class are not copied: an error keeps what it
 * knows in properties.
 */
export function doubtful<Thrown>(
  error: Thrown,
  { idempotent = false }: { readonly idempotent?: boolean } = {},
): Thrown {
  if (!isQuorateError(error)) return error;
  const retryable = idempotent && error.retryable;
  if (error.happened === 'unknown' && error.retryable === retryable) return error;
  const { message, stack } = error;
  const copy = Object.setPrototypeOf(new Error(message), Object.getPrototypeOf(error));
  const properties = Object.getOwnPropertyDescriptors<object>(error);
  const own = { enumerable: false, writable: true, configurable: true };
  return Object.defineProperties(copy, {
    ...properties,
    // It may be an accessor that works on its own error only.
    stack: { ...own, value: stack },
    happened: { ...own, enumerable: true, value: 'unknown' },
    retryable: { ...own, enumerable: true, value: retryable },
  });
}
