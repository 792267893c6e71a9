import { isQuorateError } from '@quorate/core';
import type { ZooKeeper } from '@quorate/zookeeper';

/**
 * Deletes a node that is ours alone, by a name that nobody else will ever use. Resolves when it is gone: however often
 * the reply is lost, and also when the session is over, for its ephemeral nodes go with it.
 */
export async function removeOwn(zk: ZooKeeper, path: string): Promise<void> {
  for (;;) {
    try {
      return await zk.delete(path);
    } catch (error) {
      if (isQuorateError(error, 'no-node') || isOver(error)) return;
      if (!isQuorateError(error, 'ambiguous')) throw error;
    }
  }
}

export function isOver(error: unknown): boolean {
  return isQuorateError(error, 'session-lost') || isQuorateError(error, 'session-closed');
}
