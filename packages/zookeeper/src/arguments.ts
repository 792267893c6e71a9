import { InvalidArgumentError } from '@quorate/core';

const lastVersion = 2 ** 31 - 1;

/** What the protocol takes for any version. */
export const anyVersion = -1;

export function checkVersion(version: unknown): number {
  if (version === undefined) return anyVersion;
  if (typeof version === 'number' && Number.isInteger(version) && version >= 0 && version <= lastVersion)
    return version;
  throw new InvalidArgumentError(
    'version',
    `a whole number from 0 to ${lastVersion}, or nothing for any version`,
    version,
  );
}

/** What is wrong with it, where anything is. */
export function signalRefusal(signal: unknown): InvalidArgumentError | undefined {
  if (signal === undefined || signal instanceof AbortSignal) return undefined;
  const expected =
    signal instanceof AbortController ? 'an AbortSignal: the signal of this AbortController' : 'an AbortSignal';
  return new InvalidArgumentError('signal', expected, signal);
}

export function checkSignal(signal: unknown): void {
  const refusal = signalRefusal(signal);
  if (refusal) throw refusal;
}

export function checkData(data: unknown): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data);
  if (data instanceof Uint8Array) return data;
  // Not shown: it may be a secret.
  throw new InvalidArgumentError('data', `a Uint8Array or a string, not ${data === null ? 'null' : typeof data}`);
}
