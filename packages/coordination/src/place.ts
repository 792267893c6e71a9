import { InvalidArgumentError } from '@quorate/core';
import { checkPath, type ZooKeeper } from '@quorate/zookeeper';
import { checkSession } from './given-session.ts';

/** Refuses what is no session, a path that the client would refuse, and the root, before anything is sent. */
export function checkPlace(zk: ZooKeeper, path: string): void {
  checkSession(zk);
  checkPath(path);
  if (path === '/') throw new InvalidArgumentError('path', 'a path below the root', path);
}
