/**
 * Does `work` once, within what `trace` puts around it, and gives what came of the work: whatever goes wrong in `trace`, also when it does not call the work, calls it twice, or gives
 * something else.
 */
export async function around<T>(trace: (work: () => Promise<T>) => unknown, work: () => Promise<T>): Promise<T> {
  let begun: Promise<T> | undefined;
  const once = (): Promise<T> => {
    begun ??= work();
    return begun;
  };
  try {
    await trace(once);
  } catch {
    // What went wrong in the work is told below.
  }
  return await once();
}
