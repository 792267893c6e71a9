import { ResponderFailedError } from '../errors/responder-failed-error.ts';

/** What a responder says of its failure. Anybody can have written it, so it may be anything. */
export function failureToldBy(name: string, value: Buffer | null): ResponderFailedError {
  const { code, message } = read(value);
  const text = (part: unknown, otherwise: string): string => (typeof part === 'string' ? part : otherwise);
  return new ResponderFailedError(name, text(code, ''), text(message, 'no reason was given'));
}

function read(value: Buffer | null): { readonly code?: unknown; readonly message?: unknown } {
  try {
    return JSON.parse(String(value)) ?? {};
  } catch {
    return {};
  }
}
