import type { Keeping } from './entry-options.ts';
import type { Load } from './load-context.ts';

/** What is to be brought, and how. */
export interface Errand {
  readonly key: string;
  readonly load: Load<unknown>;
  readonly keeping: Keeping;
  readonly version: string | undefined;
  /** The load takes care of bulkhead, breaker and its time itself: it is part of a load of many. */
  readonly guarded: boolean;
  /** Called when another process loads it. */
  readonly aside: (() => void) | undefined;
  /** A refresh: a value is at hand, and is fresh until then by the server's clock. Only a later one is of any use. */
  readonly beyond?: number;
}
