import type { ReadOutcome, ZooKeeper } from '@quorate/zookeeper';
import { tokenOf, transactionOf } from '../lease/token.ts';
import { childOf } from '../path.ts';
import type { Contender } from './contender.ts';
import type { Line } from './line.ts';

/** Somebody in a line, as the servers know it. */
export interface Participant {
  /** What it calls itself: the data of its node. */
  readonly id: string;
  readonly node: string;
  readonly mark: string;
  /** The token that it has as the holder, or will have. */
  readonly token: bigint;
  /** Since when it stands there, by the servers' clock. */
  readonly since: Date;
  readonly session: bigint;
  readonly holds: boolean;
  readonly data: Buffer;
}

/** So many are read in one request: an answer must stay within what a server will send. */
const batch = 200;

/** Everybody in a line, in order of arrival, or the first so many. Whoever leaves while it is read is left out. */
export async function participants(
  line: Line,
  signal: AbortSignal | undefined,
  most: number = Number.POSITIVE_INFINITY,
): Promise<Participant[]> {
  const contenders = (await line.list(signal)).slice(0, most);
  const found: Participant[] = [];
  for (let from = 0; from < contenders.length; from += batch) {
    const some = contenders.slice(from, from + batch);
    const outcomes = await readAll(line.zk, line.path, some, signal);
    for (const [index, outcome] of outcomes.entries()) {
      const contender = some[index];
      if (!contender || !('data' in outcome)) continue;
      const { data, stat } = outcome;
      found.push({
        id: shown(data),
        node: childOf(line.path, contender.name),
        mark: contender.mark,
        token: tokenOf(
          line.zk,
          line.path,
          contender.token === undefined ? stat : { czxid: transactionOf(contender.token) },
        ),
        since: new Date(Number(stat.ctime)),
        session: stat.ephemeralOwner,
        holds: line.kind.waitsFor(contender.mark, contenders.slice(0, from + index)) === undefined,
        data,
      });
    }
  }
  return found;
}

function readAll(
  zk: ZooKeeper,
  path: string,
  contenders: readonly Contender[],
  signal: AbortSignal | undefined,
): Promise<ReadOutcome[]> {
  return zk.readMany(
    contenders.map(({ name }) => ({ get: childOf(path, name) })),
    { signal },
  );
}

/** Anybody may have written it. */
function shown(data: Buffer): string {
  const [line = ''] = data.subarray(0, 1024).toString().split('\n', 1);
  return line;
}
