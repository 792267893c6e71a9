import { isQuorateError } from '@quorate/core';
import type { ZooKeeper } from '@quorate/zookeeper';
import { insist } from '../waiting/insist.ts';

/**
 * Deletes an ephemeral node of ours and resolves when it is gone, or when the session is, which takes it along. To forget it
 * would block everybody behind it; a node of ours has a name of its own, so that deleting it twice does no harm.
 */
export async function remove(zk: ZooKeeper, path: string): Promise<void> {
  await insist(zk, async () => {
    try {
      await zk.delete(path);
    } catch (error) {
      if (!isQuorateError(error, 'no-node')) throw error;
    }
  });
}
