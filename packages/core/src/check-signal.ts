import { InvalidArgumentError } from './invalid-argument-error.ts';

/** Refuses what is neither missing nor an AbortSignal: it would be found out late, or never. */
export function checkSignal(name: string, value: unknown): asserts value is AbortSignal | undefined {
  if (value === undefined) return;
  const { aborted, addEventListener } = (value ?? {}) as Partial<AbortSignal>;
  if (typeof aborted !== 'boolean' || typeof addEventListener !== 'function')
    throw new InvalidArgumentError(name, 'an AbortSignal', value);
}
