import type { ZooKeeper } from '@quorate/zookeeper';

/** A proof of life is as good as new for this part of the session timeout: half of what a lease lasts without one. */
const recent = 1 / 4;

/**
 * When the leader of the ensemble was asked for something that it has answered: a moment ago, at `askedAt`, or now. What a
 * member tells by itself proves nothing: it may have been cut off since, and the session be as good as over.
 */
export async function proof(
  zk: ZooKeeper,
  path: string,
  askedAt: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  const now = performance.now();
  if (now - askedAt < zk.sessionTimeout * recent) return askedAt;
  await zk.sync(path, { signal });
  return now;
}
