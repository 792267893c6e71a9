import { isQuorateError } from '@quorate/core';

/**
 * Whether an error says that the origin is ill. Not when it says that the question was bad (a status from 400 to 499 but 408
 * and 429, as clients of HTTP give it; an `InvalidArgumentError`), nor when the request was aborted: whoever asks can
 * cause these. Anything else counts, also a `TypeError`: `fetch` throws one when there is no connection.
 */
export function isOriginFailure(error: unknown): boolean {
  if (isQuorateError(error, 'invalid-argument')) return false;
  if (error instanceof Error && error.name === 'AbortError') return false;
  const status = statusOf(error) ?? statusOf((error as { response?: unknown } | null | undefined)?.response);
  return !(status !== undefined && status >= 400 && status < 500 && status !== 408 && status !== 429);
}

function statusOf(answer: unknown): number | undefined {
  const { status, statusCode } = (answer ?? {}) as { readonly status?: unknown; readonly statusCode?: unknown };
  return [status, statusCode].find((one) => typeof one === 'number');
}
