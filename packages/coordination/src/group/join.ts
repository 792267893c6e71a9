import { backoff, isQuorateError, mayRetry } from '@quorate/core';
import type { Acl, Stat, ZooKeeper } from '@quorate/zookeeper';
import { AlreadyJoinedError } from '../errors/already-joined-error.ts';
import { WrongKindError } from '../errors/wrong-kind-error.ts';
import { departed } from '../line/waiting.ts';
import type { Claim } from './claim.ts';

export interface Joining {
  /** The group. */
  readonly path: string;
  /** The node in it. */
  readonly node: string;
  readonly id: string;
  readonly data: Uint8Array | string;
  readonly acl: readonly Acl[] | undefined;
  readonly claim: Claim;
  readonly signal: AbortSignal | undefined;
}

/** Creates the node of a member, once whoever had it before is gone. */
export async function createMember(
  zk: ZooKeeper,
  { path, node, id, data, acl, claim, signal }: Joining,
): Promise<{ readonly stat: Stat; readonly askedAt: number }> {
  for (;;) {
    const askedAt = performance.now();
    try {
      const { stat } = await zk.create(node, data, { mode: 'ephemeral', acl, parents: true, signal });
      return { stat, askedAt };
    } catch (error) {
      if (signal?.aborted || isQuorateError(error, 'ambiguous')) claim.doubtful = true;
      else if (!isQuorateError(error, 'node-exists')) throw error;
      signal?.throwIfAborted();
    }
    // The member we have come to may not have heard yet of what the one before has done for us.
    const syncedAt = performance.now();
    const [, stat] = await Promise.all([zk.sync(node, { signal }), zk.exists(node, { signal })]);
    if (!stat) continue;
    // Nobody else of this session is let in, so it is what became of the create whose reply was lost.
    if (stat.ephemeralOwner === zk.id && claim.doubtful) return { stat, askedAt: syncedAt };
    claim.doubtful = false;
    if (stat.ephemeralOwner === zk.id) throw new AlreadyJoinedError(path, id);
    if (stat.ephemeralOwner === 0n)
      throw new WrongKindError(node, 'a member of a group', 'a node that is not ephemeral');
    await departed(zk, node, signal);
  }
}

/** Deletes what may have been created for somebody who has stopped waiting for it. */
export async function withdraw(zk: ZooKeeper, node: string): Promise<void> {
  const delays = backoff({ min: 20, max: 1_000 });
  while (!zk.lost.aborted) {
    try {
      const [, stat] = await Promise.all([zk.sync(node), zk.exists(node)]);
      if (stat?.ephemeralOwner !== zk.id) return;
      await zk.delete(node, { version: stat.version });
      return;
    } catch (error) {
      const again = mayRetry(error, { idempotent: true }) || isQuorateError(error, 'bad-version');
      if (!again) return;
    }
    await delays.wait({ signal: zk.lost }).catch(() => undefined);
  }
}
