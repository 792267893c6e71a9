import { backoff, isQuorateError, mayRetry } from '@quorate/core';
import type { ZooKeeper } from '@quorate/zookeeper';

/**
 * Deletes an ephemeral node of ours and resolves when it is gone, or when the session is, which takes it along. A reply
 * that is lost, or a member that is busy, is no reason to forget the node: it would block everybody behind it.
 */
export async function remove(zk: ZooKeeper, path: string): Promise<void> {
  const delays = backoff({ min: 20, max: 1_000 });
  for (;;) {
    try {
      await zk.delete(path);
      return;
    } catch (error) {
      if (isQuorateError(error, 'no-node') || zk.lost.aborted) return;
      // A node of ours has a name of its own: deleting it twice does no harm.
      if (!mayRetry(error, { idempotent: true })) throw error;
    }
    await delays.wait({ signal: zk.lost }).catch(() => undefined);
  }
}
