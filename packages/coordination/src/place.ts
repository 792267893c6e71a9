import { InvalidArgumentError } from '@quorate/core';
import { checkPath, type ZooKeeper } from '@quorate/zookeeper';

/** Refuses a path that the client would refuse, and the root, before anything is sent. */
export function checkPlace(zk: ZooKeeper, path: string): void {
  if (typeof zk?.transaction !== 'function') {
    throw new InvalidArgumentError(
      'zk',
      'a ZooKeeper session, as connect() returns it',
      zk === null ? null : typeof zk,
    );
  }
  checkPath(path);
  if (path === '/') throw new InvalidArgumentError('path', 'a path below the root', path);
}
