import { isQuorateError } from '@quorate/core';
import type { ZooKeeper } from '@quorate/zookeeper';

/** Begins a new session of the store that is tested. */
export type Connect = () => Promise<ZooKeeper>;

export async function codeOf(outcome: Promise<unknown> | (() => unknown)): Promise<string> {
  try {
    await (typeof outcome === 'function' ? outcome() : outcome);
    return 'no error';
  } catch (error) {
    return isQuorateError(error) ? error.code : String(error);
  }
}

/** The error that is thrown, with all it says. */
export async function errorOf(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => {
      throw new Error('it did not fail');
    },
    (error) => error,
  );
}

let paths = 0;

/** A path nobody else uses. */
export function freshPath(name: string): string {
  paths += 1;
  return `/${name}-${process.pid}-${paths}`;
}

/** The children of a path; none where there is no path. */
export async function childrenOf(zk: ZooKeeper, path: string): Promise<string[]> {
  try {
    return (await zk.children(path)).names;
  } catch (error) {
    if (isQuorateError(error, 'no-node')) return [];
    throw error;
  }
}
