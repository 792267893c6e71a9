import { checkPath, type ZooKeeper } from '@quorate/zookeeper';
import { lockKind } from './line/kind.ts';
import { Line } from './line/line.ts';
import { LineLock, type LockOptions } from './line/line-lock.ts';

/**
 * A lock that one at a time holds, first come, first served.
 *
 *     const lock = new Lock(zk, '/locks/cab-42');
 *     await using held = await lock.acquire({ timeout: 5_000 });
 *     await held.guard(zk.transaction()).set('/cabs/42', data).commit();
 *
 * Hazards: a process that is stopped wakes up and writes. What is written outside of ZooKeeper must carry `held.token`,
 * and be refused when a larger one was seen. Pass `held.signal` to all work done under the lock. A lease is of one
 * session: when the session is lost, so is the lock, and a new one needs a new connection. Not reentrant by itself:
 * acquiring it twice waits for oneself; say `acquire({ holding: held })`.
 */
export class Lock extends LineLock {
  constructor(zk: ZooKeeper, path: string, options: LockOptions = {}) {
    checkPath(path);
    super(new Line(zk, path, lockKind, options), 'lock-', options);
  }
}
