import { Client } from '../client.ts';
import type { WatchNotification } from '../protocol/watch-event.ts';
import { checkTokenEpoch } from '../token-epoch.ts';
import type { ZooKeeper } from '../zookeeper.ts';
import { InProcessSession, type Servers } from './in-process-session.ts';

export type { WatchMode } from '../protocol/reads.ts';
export { notified } from '../protocol/watch-event.ts';
export type { PlacedWatches } from '../watch/registry.ts';
export type { Answer, Refusal } from './answer.ts';
export type { Servers } from './in-process-session.ts';
export type { Question, ReadQuestion, WriteQuestion } from './question.ts';

export interface InProcessOptions {
  /** As in `connect`. */
  readonly tokenEpoch?: number | undefined;
}

/** A session, and what its servers tell it. Whoever calls these is the servers and the network. */
export interface InProcess {
  readonly zk: ZooKeeper;
  notified(notification: WatchNotification): void;
  disconnected(): void;
  reconnected(): void;
  expired(): void;
}

/**
 * The client, over servers that are in this process. For what stands in for an ensemble: `memoryCoordination()` of
 * `@quorate/coordination` does.
 */
export function inProcess(servers: Servers, { tokenEpoch = 0 }: InProcessOptions = {}): InProcess {
  checkTokenEpoch(tokenEpoch);
  const session = new InProcessSession(servers);
  return {
    zk: new Client(session, '', { tokenEpoch }),
    notified: (notification) => session.notified(notification),
    disconnected: () => session.disconnected(),
    reconnected: () => session.reconnected(),
    expired: () => session.expired(),
  };
}
