import type { ZooKeeper } from '@quorate/zookeeper';

/**
 * Reads what everybody was told before: the member we are connected to catches up with the leader first. Both requests
 * travel together. `read` is called at once.
 */
export async function upToDate<T>(
  zk: ZooKeeper,
  path: string,
  read: () => Promise<T>,
  signal?: AbortSignal | undefined,
): Promise<T> {
  const [, result] = await Promise.all([zk.sync(path, { signal }), read()]);
  return result;
}
