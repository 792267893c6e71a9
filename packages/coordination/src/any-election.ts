import type { Candidate } from './candidate.ts';
import type { Lease } from './lease/lease.ts';
import type { AcquireOptions } from './waiting/acquire-options.ts';

/** What every election can do, whatever stands behind it. */
export interface AnyElection {
  readonly path: string;
  readonly id: string;
  /** Stands for election and waits to be elected. */
  campaign(options?: AcquireOptions): Promise<Lease>;
  /**
   * Calls `term` each time we are elected, with a lease of its own, until `signal` aborts: then resolves. A term is over
   * when `term` returns; only then is another begun, or the leadership let go of. Rejects with what `term` throws, and
   * when the session is over.
   */
  lead(term: (lease: Lease) => unknown, options?: { readonly signal?: AbortSignal | undefined }): Promise<void>;
  /** The leader now and at each change, latest wins; undefined while there is none. */
  observe(options?: {
    readonly signal?: AbortSignal | undefined;
  }): AsyncIterableIterator<Candidate | undefined, undefined>;
  /** Everybody who stands, the leader first. */
  candidates(options?: { readonly signal?: AbortSignal | undefined }): Promise<Candidate[]>;
}
