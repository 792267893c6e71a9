import type { ZooKeeper } from '@quorate/zookeeper';
import { Election, type Lease, Lock } from '../../src/index.ts';

/** Whatever lets one at a time hold something. */
export interface Exclusive {
  acquire(options?: { readonly signal?: AbortSignal | undefined }): Promise<Lease>;
}

/** How to come by one, in a session of one's own. */
export type Make = (zk: ZooKeeper, path: string, id: string) => Exclusive;

export const ourLock: Make = (zk, path, id) => new Lock(zk, path, { id });

export const ourElection: Make = (zk, path, id) => {
  const election = new Election(zk, path, { id });
  return { acquire: (options) => election.campaign(options) };
};
