import { retry } from '@quorate/core';
import type { ZooKeeper } from '@quorate/zookeeper';

/**
 * Does what must not be forgotten, and does no harm twice, until it succeeds: a reply that is lost, or a member that is busy, is
 * no reason to give up. Resolves as well when the session is over, which takes along what was held through it.
 */
export async function insist(zk: ZooKeeper, work: () => Promise<void>): Promise<void> {
  try {
    await retry(work, { attempts: Number.POSITIVE_INFINITY, idempotent: true, min: 20, max: 1_000, signal: zk.lost });
  } catch (error) {
    if (!zk.lost.aborted) throw error;
  }
}
