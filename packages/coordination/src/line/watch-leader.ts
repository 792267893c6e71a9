import { isQuorateError } from '@quorate/core';
import type { NodeData, ReadOptions } from '@quorate/zookeeper';
import { childOf } from '../path.ts';
import type { Contender } from './contender.ts';
import { contendersOf } from './kind.ts';
import type { Line } from './line.ts';
import { untilChange } from './waiting.ts';

/**
 * Tells who is first in the line, now and at each change, until `signal` aborts or the session is over. Only the first is
 * watched, so that others who come and go cost nothing.
 */
export async function watchLeader(
  line: Line,
  signal: AbortSignal,
  tell: (leader: NodeData | undefined) => void,
): Promise<never> {
  const { zk, path } = line;
  let told: bigint | undefined;
  const tellOnce = (leader: NodeData | undefined): void => {
    // At first also that there is none, so that a reader need not wait to learn it.
    const token = leader?.stat.czxid ?? 0n;
    if (token !== told) tell(leader);
    told = token;
  };
  for (;;) {
    const leader = await first(line, signal);
    if (leader) {
      await untilChange(zk, signal, async (watch) => tellOnce(await zk.get(childOf(path, leader.name), watch)));
      continue;
    }
    // Nobody is there, or not even the path. Look again with a watch: somebody may have come meanwhile.
    await untilChange(zk, signal, async (watch) => {
      if (await empty(line, watch)) tellOnce(undefined);
      else watch.watch?.({ type: 'children', path });
    });
  }
}

async function empty({ zk, path, kind }: Line, watch: ReadOptions): Promise<boolean> {
  try {
    return contendersOf(path, kind, await zk.children(path, watch)).length === 0;
  } catch (error) {
    if (!isQuorateError(error, 'no-node')) throw error;
    return (await zk.exists(path, watch)) === undefined;
  }
}

async function first(line: Line, signal: AbortSignal): Promise<Contender | undefined> {
  try {
    return (await line.list(signal))[0];
  } catch (error) {
    if (isQuorateError(error, 'no-node')) return undefined;
    throw error;
  }
}
