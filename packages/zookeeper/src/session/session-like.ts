import type { Auth } from '../options.ts';
import type { Operation } from '../protocol/operation.ts';
import type { State } from '../state.ts';
import type { WatchRegistry } from '../watch/registry.ts';
import type { RequestOptions } from './request.ts';

/** What the operations need of a session, whoever keeps it. */
export interface SessionLike {
  readonly id: bigint;
  readonly state: State;
  readonly readOnly: boolean;
  readonly timeout: number;
  readonly lost: AbortSignal;
  readonly watches: WatchRegistry;
  listen(listener: (state: State) => void): () => void;
  request<T>(operation: Operation<T>, options?: RequestOptions<T>): Promise<T>;
  addAuth(auth: Auth): Promise<void>;
  close(): Promise<void>;
  abandon(): void;
}
