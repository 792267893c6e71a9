import type { Transaction } from '@quorate/zookeeper';

/** Something held for now: a lock, the leadership, a permit. It may end at any moment, and says so. */
export interface Lease extends AsyncDisposable {
  /**
   * The fencing token: larger than that of each holder before. Show it to the resource with each read that a write depends
   * on and with each write, and let it refuse smaller tokens than it has seen. When the ensemble is restored from a backup
   * or set up anew its count goes back: raise `tokenEpoch` (`connect`) by one in every process, or tokens go back with it.
   */
  readonly token: bigint;
  /** Aborts with a `LeaseEndedError` the moment holding is no longer certain, before anybody else can hold it. */
  readonly signal: AbortSignal;
  /** Adds to a transaction that it commits only while this lease is held. Throws when it has ended already. */
  guard(transaction: Transaction): Transaction;
  /**
   * Ends the lease and resolves when others can have it: when its node is gone, or its session is over. Aborting
   * `signal` ends only the wait; letting go continues.
   */
  release(options?: { readonly signal?: AbortSignal | undefined }): Promise<void>;
}
