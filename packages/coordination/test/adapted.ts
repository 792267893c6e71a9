import { type BedOf, eventually, type Link } from '@quorate/testbed';
import type { ZooKeeper } from '@quorate/zookeeper';
import { fromNodeZookeeperClient, type NodeZookeeperClient } from '@quorate/zookeeper/node-zookeeper-client';
// @ts-expect-error: the package has no types of its own.
import nodeZookeeperClient from 'node-zookeeper-client';

type Native = NodeZookeeperClient & { connect(): void };

/** Our interface over a node-zookeeper-client, connected. */
export async function adapted(servers: string, options: { readonly sessionTimeout?: number } = {}): Promise<ZooKeeper> {
  return over(nodeZookeeperClient.createClient(servers, options));
}

async function over(client: Native): Promise<ZooKeeper> {
  const zk = fromNodeZookeeperClient(client);
  client.connect();
  await eventually('connected', () => zk.state === 'connected', { every: 5 });
  return zk;
}

export interface Losing extends AsyncDisposable {
  readonly zk: ZooKeeper;
  /**
   * Does what `ask` says, and loses the reply of the next write of this kind: the connection breaks when the server `isDone`,
   * and once `meanwhile` has been done.
   */
  readonly loseReply: <T>(loss: {
    readonly of: 'create' | 'transaction';
    readonly ask: () => Promise<T>;
    readonly isDone: () => Promise<boolean>;
    readonly meanwhile?: () => void;
  }) => Promise<T>;
}

let clients = 0;

/** One on a link of its own, which loses the replies that it is told to. */
export async function losing(bed: BedOf<{ zookeeper: 1 }>): Promise<Losing> {
  clients += 1;
  const link: Link = bed.link(`adapted-${clients}`, 'zookeeper-1');
  const client: Native = nodeZookeeperClient.createClient(await link.address, { sessionTimeout: 6_000 });
  let before: ((of: string) => void) | undefined;
  for (const of of ['create', 'transaction'] as const) {
    const call = client[of].bind(client) as (...args: unknown[]) => never;
    client[of] = (...args: unknown[]) => {
      before?.(of);
      return call(...args);
    };
  }
  const zk = await over(client);
  return {
    zk,
    loseReply: async ({ of, ask, isDone, meanwhile }) => {
      const sending = new Promise<void>((resolve) => {
        before = (each) => {
          if (each !== of) return;
          before = undefined;
          // Takes effect before it returns, and so before the request leaves.
          void link.set({ blackHole: link.parties[1] });
          resolve();
        };
      });
      const outcome = ask();
      outcome.catch(() => undefined);
      await sending;
      await eventually('the server has done it', isDone, { every: 5 });
      meanwhile?.();
      await link.reset();
      await link.heal();
      return outcome;
    },
    [Symbol.asyncDispose]: () => zk.close(),
  };
}
