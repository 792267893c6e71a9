/** What somebody else's code has thrown, as text. Anything can be thrown, also what has none. */
export function textOf(thrown: unknown): string {
  return shown(() => String(thrown));
}

/** The same, of an error only its message. */
export function messageOf(thrown: unknown): string {
  return shown(() => String(thrown instanceof Error ? thrown.message : thrown));
}

function shown(show: () => string): string {
  try {
    return show();
  } catch {
    return 'something was thrown that cannot be shown as text';
  }
}
