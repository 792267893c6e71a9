import type { Lease } from './lease.ts';

/** Does the work, then lets go. What letting go may throw must not hide what the work has thrown. */
export async function holding<T>(lease: Lease, work: (lease: Lease) => T | Promise<T>): Promise<T> {
  let result: T;
  try {
    result = await work(lease);
  } catch (error) {
    await lease.release().catch(() => undefined);
    throw error;
  }
  await lease.release();
  return result;
}
