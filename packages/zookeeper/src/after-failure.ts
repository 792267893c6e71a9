import { InvalidArgumentError } from '@quorate/core';

/** What becomes of work that has failed: it is done again, after a while, or its error ends everything. */
export type AfterFailure = Policy | ((error: unknown, attempt: number) => Policy | Promise<Policy>);

type Policy = 'retry' | 'stop';

export function checkAfterFailure(onFailure: AfterFailure): void {
  if (onFailure === 'retry' || onFailure === 'stop' || typeof onFailure === 'function') return;
  throw new InvalidArgumentError('onFailure', '"retry", "stop" or a function that returns one of them', onFailure);
}

/** `attempt` is how many failures there have been in a row. */
export async function afterFailure(policy: AfterFailure, error: unknown, attempt: number): Promise<Policy> {
  if (typeof policy !== 'function') return policy;
  const said = await policy(error, attempt);
  if (said !== 'retry' && said !== 'stop')
    throw new InvalidArgumentError('onFailure', 'a function that returns "retry" or "stop"', said);
  return said;
}

/** Work that ends with the reason for which it was told to end has not failed. */
export function isStoppedBy(signal: AbortSignal, error: unknown): boolean {
  if (!signal.aborted) return false;
  if (error === signal.reason) return true;
  return error instanceof Error && (error.cause === signal.reason || error.name === 'AbortError');
}
