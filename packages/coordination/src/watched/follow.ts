import { isQuorateError } from '@quorate/core';
import type { Watch, WatchMode, ZooKeeper } from '@quorate/zookeeper';
import { type Reading, Touched } from './touched.ts';

export interface Following {
  readonly mode: WatchMode;
  /** Aborting it ends the following, and the reading that is under way should end by it too. */
  readonly signal: AbortSignal;
  /** Reads what has changed; at first, and after a gap, everything. What changes meanwhile is read by the next call. */
  readonly read: (reading: Reading) => Promise<void>;
}

/**
 * Watches a node, or all below it, and reads again what has changed: one reading at a time, however many the changes.
 * Resolves when the session is closed, rejects when it is lost, when reading fails, and when `signal` aborts.
 */
export async function follow(zk: ZooKeeper, path: string, { mode, signal, read }: Following): Promise<void> {
  const touched = new Touched();
  await using watch = zk.watch(path, { mode, signal });
  await watch.ready;
  hear(watch, touched).then(
    () => touched.end(),
    (error) => touched.end(error),
  );
  try {
    for (let reading = await touched.take(); reading; reading = await touched.take()) await read(reading);
  } catch (error) {
    if (!isQuorateError(error, 'session-closed')) throw error;
  }
}

async function hear(watch: Watch, touched: Touched): Promise<void> {
  for await (const event of watch) touched.add(event);
}
