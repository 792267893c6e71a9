import { loginFailed } from './kafkajs-login.ts';

/** TLS as Node names it: certificates that are not trusted or do not fit, and peers that speak something else. */
const tlsCodes = /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|EPROTO$)/;

const refusals: ReadonlySet<unknown> = new Set([
  'ILLEGAL_SASL_STATE',
  'SASL_AUTHENTICATION_FAILED',
  'UNSUPPORTED_SASL_MECHANISM',
]);

/** The connection broke while logging in. The package calls that a failed login as well. */
export class BrokenLogin extends Error {
  override readonly name: string = 'BrokenLogin';

  constructor(cause: unknown) {
    super('the connection broke while logging in', { cause });
  }
}

export function refusedLogin(error: unknown): string | undefined {
  if (!(error instanceof Error) || error instanceof BrokenLogin) return undefined;
  const { name, message, code, type } = error as Error & { readonly code?: unknown; readonly type?: unknown };
  if (name === loginFailed || refusals.has(type) || tlsCodes.test(String(code ?? ''))) return message;
  return refusedLogin(error.cause);
}

/** Errors of the package say what a broker answered, or which address it was; others may hold what was to be written. */
export function plain(error: unknown): Error | undefined {
  if (!(error instanceof Error)) return undefined;
  const { name, message, code } = error as Error & { readonly code?: unknown };
  if (!/^(KafkaJS|BrokenLogin|BadFrameError)/.test(name)) return undefined;
  // Whoever has no token says why.
  const told = name === loginFailed && error.cause instanceof Error && new Error(error.cause.message);
  const cause = plain(error.cause) ?? (told || undefined);
  return Object.assign(new Error(message, cause && { cause }), typeof code === 'string' && { code });
}
