import { eventually, type Link, Testbed } from '@quorate/testbed';
// @ts-expect-error: the package has no types of its own.
import nodeZookeeperClient from 'node-zookeeper-client';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { connect, type State, type ZooKeeper } from '../src/index.ts';
import { fromNodeZookeeperClient, type NodeZookeeperClient } from '../src/node-zookeeper-client/index.ts';
import { codeOf, conformance } from './conformance.ts';
import { rings } from './rings.ts';

interface Native extends NodeZookeeperClient {
  connect(): void;
  readonly connectionManager: {
    readonly state: number;
    readonly socket: { readonly destroyed: boolean; destroy(): void };
  };
}
const native = nodeZookeeperClient as unknown as {
  createClient(servers: string, options?: object): Native;
};

let bed: Testbed & { zookeeper: { url: string } };
beforeAll(async () => {
  bed = await Testbed.start({ zookeeper: { members: 1, config: { tickTime: 100 } } });
});
afterAll(() => bed?.[Symbol.asyncDispose]());

async function adapted(servers: string, options: object = {}): Promise<ZooKeeper> {
  const client = native.createClient(servers, options);
  const zk = fromNodeZookeeperClient(client);
  client.connect();
  await comesTo(zk, 'connected');
  return zk;
}

async function comesTo(zk: ZooKeeper, wanted: State): Promise<number> {
  if (zk.state === wanted) return performance.now();
  for await (const state of zk.states()) if (state === wanted) return performance.now();
  throw new Error(`the session was over before it was ${wanted}`);
}

test('the epoch of tokens is that of the option, and a bad one is refused', () => {
  const client = native.createClient(bed.zookeeper.url);
  expect(fromNodeZookeeperClient(client).tokenEpoch).toBe(0);
  expect(fromNodeZookeeperClient(client, { tokenEpoch: 3 }).tokenEpoch).toBe(3);
  expect(() => fromNodeZookeeperClient(client, { tokenEpoch: -1 })).toThrow(/^tokenEpoch: expected a whole number/);
});

describe('conformance', () => {
  conformance({
    open: async () => {
      const root = `/${expect.getState().currentTestName?.replaceAll(/\W+/g, '-')}`;
      await using zk = await connect(bed.zookeeper.url);
      await zk.create(root).catch(() => undefined);
      return adapted(bed.zookeeper.url + root);
    },
  });
});

test.concurrent('what it cannot do proves nothing: a black hole is found however often that is asked for', async () => {
  const link = bed.link('deaf', 'zookeeper-1');
  const zk = await adapted(await link.address, { sessionTimeout: 1_500 });
  await link.set({ blackHole: true });
  using _ = setInterval(() => void zk.whoAmI().catch(() => undefined), 50);
  await comesTo(zk, 'suspended');
  await comesTo(zk, 'lost');
});

test.concurrent('the watchdog: a black hole is suspended at two thirds of the session timeout and lost at it, before anybody else knows', async () => {
  const sessionTimeout = 2_000;
  const link = bed.link('dog', 'zookeeper-1');
  await using other = await connect(bed.zookeeper.url);
  const zk = await adapted(await link.address, { sessionTimeout });
  await zk.create('/dog', '', { mode: 'ephemeral' });
  const last = performance.now();
  await zk.get('/dog');
  await link.set({ blackHole: true });
  const gone = new Promise<number>((resolve) => void other.exists('/dog', { watch: () => resolve(performance.now()) }));
  const pending = [codeOf(zk.get('/dog')), codeOf(zk.set('/dog', ''))];
  const [atTwoThirds, atAll] = [rings(last + (2 / 3) * sessionTimeout), rings(last + sessionTimeout)];
  expect(Math.abs((await comesTo(zk, 'suspended')) - (await atTwoThirds))).toBeLessThan(sessionTimeout / 20);
  const lostAt = await comesTo(zk, 'lost');
  expect(Math.abs(lostAt - (await atAll))).toBeLessThan(sessionTimeout / 20);
  expect(lostAt).toBeLessThanOrEqual(await gone);
  expect(await Promise.all(pending)).toEqual(['session-lost', 'ambiguous']);
});

test.concurrent('closed by its owner: reads wait for the session to be over, and do not ask without end', async () => {
  const client = native.createClient(bed.zookeeper.url, { sessionTimeout: 2_000 });
  const zk = fromNodeZookeeperClient(client);
  client.connect();
  await comesTo(zk, 'connected');
  const asked = vi.spyOn(client, 'getData');
  client.close();
  expect(await codeOf(zk.get('/'))).toBe('session-lost');
  expect(asked.mock.calls.length).toBeLessThan(20);
});

describe('closing', () => {
  const sessionTimeout = 2_000;
  const closed = -2;

  async function inBlackHole(name: string): Promise<{ zk: ZooKeeper; client: Native; link: Link }> {
    const link = bed.link(name, 'zookeeper-1');
    const client = native.createClient(await link.address, { sessionTimeout });
    const zk = fromNodeZookeeperClient(client);
    client.connect();
    await comesTo(zk, 'connected');
    await link.set({ blackHole: true });
    return { zk, client, link };
  }

  /** A socket that is left keeps the process alive. */
  async function isLeftAlone(client: Native): Promise<void> {
    const { connectionManager } = client;
    await eventually('the client has ended', () => connectionManager.state === closed, { within: 2_000 });
    expect(connectionManager.socket.destroyed).toBe(true);
  }

  test.concurrent('a session that was lost leaves no connection', async () => {
    const { zk, client } = await inBlackHole('leaves');
    await comesTo(zk, 'lost');
    await isLeftAlone(client);
  });

  test.concurrent('closing in a black hole leaves no connection', async () => {
    const { zk, client } = await inBlackHole('closes');
    await zk.close();
    expect(zk.state).toBe('closed');
    await isLeftAlone(client);
  });

  test.concurrent('a signal ends the wait for a server to answer', async () => {
    const { zk, client } = await inBlackHole('signal');
    const enough = new AbortController();
    const closing = zk.close({ signal: enough.signal });
    enough.abort();
    const begun = performance.now();
    await closing;
    expect(performance.now() - begun).toBeLessThan(sessionTimeout / 4);
    expect(zk.state).toBe('closed');
    await isLeftAlone(client);
  });

  test.concurrent('whoever closes again waits for the same', async () => {
    const link = bed.link('again', 'zookeeper-1');
    const zk = await adapted(await link.address, { sessionTimeout });
    await link.set({ blackHole: true });
    let first = false;
    const closing = zk.close().then(() => {
      first = true;
    });
    await zk.close();
    await Promise.resolve();
    expect([first, zk.state]).toEqual([true, 'closed']);
    await closing;
  });
});

test('what it cannot do is said, before anything is sent', async () => {
  await using zk = await adapted(bed.zookeeper.url);
  const calls = [
    zk.whoAmI(),
    zk.countDescendants('/'),
    zk.create('/c', '', { mode: 'container' }),
    zk.watch('/').ready,
    zk.transaction().create('/t').delete('/t').commit(),
  ];
  expect(await Promise.all(calls.map(codeOf))).toEqual(Array(5).fill('unsupported'));
});

test.each([
  ['client', {}],
  ['client.options.retries', native.createClient('127.0.0.1:1', { retries: 3 })],
])('refuses a bad %s', (argument, client) => {
  expect(() => fromNodeZookeeperClient(client as never)).toThrow(`${argument}: expected`);
});
