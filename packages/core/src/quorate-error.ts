/** How a `QuorateError` is made: what went wrong as a code a program can match, and what caused it. */
export interface QuorateErrorOptions {
  /** A short, stable, kebab-case word for programs: `deadline-exceeded`, `ambiguous`. */
  readonly code: string;
  /** True when doing the same thing again may succeed and cannot do harm. Default false. */
  readonly retryable?: boolean;
  /** `no` when what was asked for certainly did not happen and never will. Default `unknown`. */
  readonly happened?: 'no' | 'unknown';
  readonly cause?: unknown;
}

// Marks our errors across copies of this package: `instanceof` fails when an application has two of them installed.
const brand: unique symbol = Symbol.for('@quorate/core.error');

/** What every error of Quorate extends. Match on `code`, never on the message. */
export class QuorateError extends Error {
  readonly code: string;
  readonly retryable: boolean;
  /** `no`: what was asked for did not happen and never will. `unknown`: it may have, may yet, or may never. */
  readonly happened: 'no' | 'unknown';

  constructor(message: string, { code, retryable = false, happened = 'unknown', cause }: QuorateErrorOptions) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.code = code;
    this.retryable = retryable;
    this.happened = happened;
    Object.defineProperty(this, brand, { value: true });
  }
}

/** Whether `error` is one of ours and, when `code` is given, of that code. */
export function isQuorateError(error: unknown, code?: string): error is QuorateError {
  try {
    if (!(error instanceof Error) || !(brand in error)) return false;
    return code === undefined || (error as Error as QuorateError).code === code;
  } catch {
    // A proxy, for example, that does not let itself be looked at.
    return false;
  }
}
