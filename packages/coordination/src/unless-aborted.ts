/** The work goes on; only the wait for it ends. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return await work;
  work.catch(() => undefined);
  signal.throwIfAborted();
  let aborted = (): void => undefined;
  const cut = new Promise<never>((_, reject) => {
    aborted = () => reject(signal.reason);
    signal.addEventListener('abort', aborted, { once: true });
  });
  try {
    return await Promise.race([work, cut]);
  } finally {
    signal.removeEventListener('abort', aborted);
  }
}
