import { tracingChannel } from 'node:diagnostics_channel';
import { eventually, type Link } from '@quorate/testbed';
import type { TracedRequest, ZooKeeper } from '@quorate/zookeeper';

const writes = new Set(['create', 'set', 'delete', 'transaction']);

/** Resolves when a session is about to send a write, the one of this number from now on, after having called `act`. */
export function beforeWrite(zk: ZooKeeper, number: number, act: () => void): Promise<void> {
  const requests = tracingChannel<TracedRequest, TracedRequest>('quorate.zookeeper.request');
  let count = 0;
  return new Promise((resolve) => {
    const start = ({ operation, sessionId }: TracedRequest): void => {
      if (sessionId !== zk.id || !writes.has(operation)) return;
      count += 1;
      if (count !== number) return;
      requests.unsubscribe({ start } as never);
      act();
      resolve();
    };
    requests.subscribe({ start } as never);
  });
}

export interface Loss {
  /** Counted from 1, from now on. */
  readonly write: number;
  /** Whether the write reaches the server, and its reply is lost, or the write itself is. */
  readonly lost: 'reply' | 'request';
  /** Whether the server has done it. */
  readonly isDone: () => Promise<boolean>;
}

/**
 * Loses one message of a session that is connected through `link` alone: the link is a black hole from before the write is
 * sent until, where its reply is to be lost, the server has done it; then the connection is reset. Resolves when the link
 * is well again.
 */
export async function loseMessage(zk: ZooKeeper, link: Link, { write, lost, isDone }: Loss): Promise<void> {
  const [client, server] = link.parties;
  // Takes effect before it returns, and so before the request leaves.
  await beforeWrite(zk, write, () => void link.set({ blackHole: lost === 'reply' ? server : client }));
  if (lost === 'reply') await eventually('the server has done it', isDone, { every: 2 });
  await link.reset();
  await link.heal();
}
