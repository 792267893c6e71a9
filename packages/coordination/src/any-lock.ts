import type { Lease } from './lease/lease.ts';
import type { Participant } from './line/participant.ts';
import type { AcquireOptions } from './waiting/acquire-options.ts';

export interface LockAcquireOptions extends AcquireOptions {
  /** A lease of this lock that the caller holds: it is acquired once more, at once. The lock goes with the last of them. */
  readonly holding?: Lease | undefined;
}

/** What every lock can do, whatever stands behind it. */
export interface AnyLock {
  readonly path: string;
  /** Waits in line. Aborting `signal` or running out of `timeout` leaves nothing behind. */
  acquire(options?: LockAcquireOptions): Promise<Lease>;
  /** Undefined when somebody else holds it or waits for it. */
  tryAcquire(options?: { readonly signal?: AbortSignal | undefined }): Promise<Lease | undefined>;
  /** Holds it while `work` runs. Whatever `work` throws is thrown, also when letting go fails. */
  with<T>(work: (lease: Lease) => T | Promise<T>, options?: LockAcquireOptions): Promise<T>;
  holders(options?: { readonly signal?: AbortSignal | undefined }): Promise<Participant[]>;
  waiters(options?: { readonly signal?: AbortSignal | undefined }): Promise<Participant[]>;
  /** Asks those who hold it to let go. They need not. Resolves with how many were asked. */
  revoke(options?: { readonly signal?: AbortSignal | undefined }): Promise<number>;
}
