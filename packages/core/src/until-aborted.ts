/** What a promise comes to, or the reason of the first of the signals that aborts before. The work behind it goes on. */
export async function untilAborted<T>(work: Promise<T>, ...signals: readonly (AbortSignal | undefined)[]): Promise<T> {
  const done = new AbortController();
  const first = Promise.withResolvers<never>();
  for (const signal of signals) {
    const end = (): void => first.reject(signal?.reason);
    if (signal?.aborted) end();
    else signal?.addEventListener('abort', end, { once: true, signal: done.signal });
  }
  try {
    return await Promise.race([first.promise, work]);
  } finally {
    done.abort();
  }
}
