import { isQuorateError } from '@quorate/core';
import type { State, Transaction, ZooKeeper } from '@quorate/zookeeper';
import type { Lease } from '../../src/index.ts';
import type { Make } from './contender.ts';

/** What is wrong with a deliberately broken lock or election. */
export type Flaw =
  | 'no fencing'
  | 'trusts its own clock'
  | 'watches everyone'
  | 'believes a stale node'
  | 'retries an ambiguous create';

/** A lock (`lock-`) or an election (`latch-`) as one writes it at first, with one of the mistakes that one makes. */
export function mutant(flaw: Flaw, mark: string): Make {
  return (zk, path, id) => ({
    acquire: async () => {
      const node = (await staleNode(zk, path, id, flaw)) ?? (await create(zk, `${path}/${mark}`, id, flaw));
      for (;;) {
        let changed = (): void => undefined;
        const change = new Promise<void>((resolve) => {
          changed = resolve;
        });
        const watched = flaw === 'watches everyone' ? { watch: changed } : {};
        const { names } = await zk.children(path, watched);
        const ahead = names.filter((name) => name.slice(-10) < node.slice(-10)).sort(byNumber);
        const last = ahead.at(-1);
        if (last === undefined) return lease(zk, node, flaw);
        if (flaw !== 'watches everyone' && !(await isThere(zk, `${path}/${last}`, changed))) continue;
        await change;
      }
    },
  });
}

function byNumber(a: string, b: string): number {
  return a.slice(-10) < b.slice(-10) ? -1 : 1;
}

async function staleNode(zk: ZooKeeper, path: string, id: string, flaw: Flaw): Promise<string | undefined> {
  if (flaw !== 'believes a stale node') return undefined;
  for (const name of (await zk.children(path)).names) {
    const { data } = await zk.get(`${path}/${name}`);
    if (data.toString() === id) return `${path}/${name}`;
  }
  return undefined;
}

async function create(zk: ZooKeeper, prefix: string, id: string, flaw: Flaw): Promise<string> {
  const careless = flaw === 'retries an ambiguous create';
  for (;;) {
    try {
      return (await zk.create(prefix, id, { mode: 'ephemeral-sequential', protected: !careless })).path;
    } catch (error) {
      if (!careless || !isQuorateError(error, 'ambiguous')) throw error;
    }
  }
}

async function isThere(zk: ZooKeeper, path: string, watch: () => void): Promise<boolean> {
  try {
    await zk.get(path, { watch });
    return true;
  } catch (error) {
    if (isQuorateError(error, 'no-node')) return false;
    throw error;
  }
}

async function lease(zk: ZooKeeper, node: string, flaw: Flaw): Promise<Lease> {
  const { stat } = await zk.get(node);
  const ended = new AbortController();
  if (flaw !== 'trusts its own clock') {
    zk.on('state', (state: State) => state === 'suspended' && ended.abort());
    zk.lost.addEventListener('abort', () => ended.abort());
  }
  const release = async (): Promise<void> => {
    ended.abort();
    await zk.delete(node).catch(() => undefined);
  };
  return {
    token: stat.czxid,
    signal: ended.signal,
    guard: (transaction: Transaction) => (flaw === 'no fencing' ? transaction : transaction.check(node)),
    release,
    [Symbol.asyncDispose]: release,
  };
}
