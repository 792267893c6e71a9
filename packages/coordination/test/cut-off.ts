import { eventually, type Link, type Testbed } from '@quorate/testbed';
import { type ConnectOptions, connect, type ZooKeeper } from '@quorate/zookeeper';

/** A session on a link of its own, that can be broken. */
export interface Breakable extends AsyncDisposable {
  readonly zk: ZooKeeper;
  readonly link: Link;
}

let clients = 0;

export async function breakable(
  bed: Testbed,
  member = 'zookeeper-1',
  options: ConnectOptions = {},
): Promise<Breakable> {
  clients += 1;
  const link = bed.link(`client-${clients}`, member);
  const zk = await connect(await link.address, { sessionTimeout: 2_000, ...options });
  return {
    zk,
    link,
    [Symbol.asyncDispose]: async () => {
      await link.heal();
      await zk.close({ signal: AbortSignal.timeout(1_000) });
    },
  };
}

/**
 * What is asked from now on reaches the server, and nothing comes back; `done` is waited for, then the connection is lost.
 * `meanwhile` happens before there is another one.
 */
export async function loseReplies(
  { zk, link }: Breakable,
  ask: () => void,
  done: () => Promise<unknown>,
  meanwhile: () => void = () => undefined,
): Promise<void> {
  await link.set({ blackHole: link.parties[1] });
  ask();
  await eventually('what was asked has happened', done);
  await reconnect(zk, link, meanwhile);
}

/** What is asked from now on never reaches the server: the connection is lost with it. */
export async function loseRequests({ zk, link }: Breakable, ask: () => void): Promise<void> {
  await link.set({ blackHole: true });
  ask();
  // Held bytes would arrive after healing. Another round of the loop, so that they have left us.
  await new Promise((resolve) => setImmediate(resolve));
  await reconnect(zk, link);
}

async function reconnect(zk: ZooKeeper, link: Link, meanwhile: () => void = () => undefined): Promise<void> {
  const suspended = new Promise<void>((resolve) => {
    zk.on('state', (state) => state === 'suspended' && resolve());
  });
  await link.reset();
  await suspended;
  meanwhile();
  await link.heal();
}
