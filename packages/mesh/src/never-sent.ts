/** Failures to connect. */
const unreachable = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  'EACCES',
]);

/**
 * Whether the connection failed before anything was sent. A connection in use can end with EHOSTUNREACH or ENETUNREACH as
 * well, when the network says so after the request was sent: only those of connecting count.
 */
export function neverSent(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code = '', syscall } = error as NodeJS.ErrnoException;
  if (code === 'UND_ERR_CONNECT_TIMEOUT') return true;
  // One for each address that was tried.
  if (error instanceof AggregateError) return error.errors.length > 0 && error.errors.every(neverSent);
  return unreachable.has(code) && (syscall === 'connect' || syscall === 'getaddrinfo');
}
