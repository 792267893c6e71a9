/** Looks at processes, which come and go meanwhile: where the look fails there is nothing to see. */
export function tolerant<T>(look: () => T, otherwise: T): T {
  try {
    return look();
  } catch {
    return otherwise;
  }
}
