import { type AfterFailure, checkAfterFailure } from '@quorate/zookeeper';
import type { Candidate } from './candidate.ts';
import type { Lease } from './lease/lease.ts';
import { type AcquireOptions, checkAcquireOptions } from './waiting/acquire-options.ts';

export interface LeadOptions {
  readonly signal?: AbortSignal | undefined;
  /**
   * What becomes of the candidacy when a term fails. Default `retry`: it stands again after a while, which is longer after each
   * failure in a row, up to five seconds. `stop`: `lead` rejects with the error. A function is asked each time.
   */
  readonly onFailure?: AfterFailure | undefined;
}

export function checkLead(options: LeadOptions): LeadOptions {
  const { signal, onFailure = 'retry' } = options;
  checkAcquireOptions({ signal });
  checkAfterFailure(onFailure);
  return options;
}

/** What every election can do, whatever stands behind it. */
export interface AnyElection {
  readonly path: string;
  readonly id: string;
  /** Stands for election and waits to be elected. */
  campaign(options?: AcquireOptions): Promise<Lease>;
  /**
   * Calls `term` each time we are elected, with a lease of its own, until `signal` aborts: then resolves. A term is over
   * when `term` returns; only then is another begun, or the leadership let go of. After terms that are over at once it waits
   * a while before it stands again. What `term` throws is for `onFailure` to judge; thrown after `signal` has aborted, it is
   * what this rejects with. Over one session it rejects when that is over.
   */
  lead(term: (lease: Lease) => unknown, options?: LeadOptions): Promise<void>;
  /** The leader now and at each change, latest wins; undefined while there is none. */
  observe(options?: {
    readonly signal?: AbortSignal | undefined;
  }): AsyncIterableIterator<Candidate | undefined, undefined>;
  /** Everybody who stands, the leader first. */
  candidates(options?: { readonly signal?: AbortSignal | undefined }): Promise<Candidate[]>;
}
