/** The same failure without what the library hangs on it: options with passwords, requests with messages, whole connections. */
export function plain(error: unknown): Error | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = error as { readonly code?: unknown };
  // Others come from a token's provider, or hold what was to be written.
  if (typeof code !== 'string' || !/^(PLT_KFK_|E[A-Z]|CERT_|UNABLE_|DEPTH_|SELF_)/.test(code)) return undefined;
  const [first] = (error as { readonly errors?: readonly unknown[] }).errors ?? [];
  // Whoever has no token says why.
  const told = code === 'PLT_KFK_AUTHENTICATION' && error.cause instanceof Error && new Error(error.cause.message);
  const cause = plain(error.cause ?? first) ?? (told || undefined);
  const { message } = error;
  return Object.assign(new Error(message || code, cause && { cause }), { code });
}

const certificate = /^(ERR_TLS|ERR_SSL|EPROTO$|CERT_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED)/;

export function refusedLogin(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, apiId, errors } = error as { readonly code?: unknown; readonly apiId?: unknown; errors?: unknown[] };
  if (apiId === 'SASL_AUTHENTICATION_FAILED' || apiId === 'ILLEGAL_SASL_STATE') return apiId;
  if (apiId === 'UNSUPPORTED_SASL_MECHANISM') return apiId;
  if (typeof code === 'string' && certificate.test(code)) return code;
  if (error.message === 'Broker requires TLS.') return error.message;
  // Whoever looks at certificates by itself refuses them with an error of its own.
  const { cause } = error;
  const strange = cause instanceof Error && !('code' in cause) && !('errors' in cause);
  if (strange && /^Connection to .* failed\.$/.test(error.message)) return cause.message;
  for (const inner of [error.cause, ...(errors ?? [])]) {
    const found = refusedLogin(inner);
    if (found) return found;
  }
  return code === 'PLT_KFK_AUTHENTICATION' ? error.message : undefined;
}
