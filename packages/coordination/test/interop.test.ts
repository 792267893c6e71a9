import { type BedOf, check, eventually, History, Testbed, verdictText } from '@quorate/testbed';
import { connect, type ZooKeeper } from '@quorate/zookeeper';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type LeaseEndedError, Lock } from '../src/index.ts';
import { freshPath } from './conformance/store.ts';
import { InteropPeer, type Kind, whatIsMissing } from './interop/peer.ts';

const kinds: readonly Kind[] = ['quorate', 'curator', 'kazoo'];

describe('with Apache Curator and kazoo on one server', () => {
  let bed: BedOf<{ zookeeper: 1 }>;
  let zk: ZooKeeper;
  let missing: string | undefined;
  /** Ten processes: four of ours, three of each of the others. */
  let peers: readonly InteropPeer[] = [];

  const of = (kind: Kind): InteropPeer => peers.find((peer) => peer.kind === kind) as InteropPeer;

  beforeAll(async () => {
    missing = await whatIsMissing();
    if (missing !== undefined) return;
    bed = await Testbed.start({ zookeeper: 1 });
    zk = await connect(bed.zookeeper.url);
    peers = await Promise.all(
      Array.from({ length: 10 }, (_, index) => InteropPeer.start(kinds[index % 3] as Kind, index, bed.zookeeper.url)),
    );
  });
  beforeEach(({ skip }) => {
    if (missing !== undefined) skip(missing);
  });
  afterAll(async () => {
    await Promise.all(peers.map((peer) => peer[Symbol.asyncDispose]()));
    await zk?.close();
    await bed?.stop();
  });

  /** All contend until they have held it so often in all and each a few times. Gives what they say, and what was counted. */
  async function contest(
    what: 'lock' | 'elect' | 'alien',
    path: string,
    contenders: readonly InteropPeer[],
    holdings: number,
  ): Promise<{ readonly history: History; readonly count: number }> {
    // Not a container: it must outlive a moment in which nobody stands in line.
    await zk.transaction().create(path).create(`${path}-counter`, '0').commit();
    for (const peer of contenders) peer.begin(what, path);
    await eventually(
      `${holdings} holdings`,
      () =>
        contenders.every((peer) => peer.holdings >= 5) &&
        contenders.reduce((sum, peer) => sum + peer.holdings, 0) >= holdings,
      { within: 90_000, every: 100 },
    );
    const histories = await Promise.all(contenders.map((peer) => peer.stop()));
    const { data } = await zk.get(`${path}-counter`);
    return { history: History.merge(...histories), count: Number(data) };
  }

  test.each([
    ['lock', 'one lock'],
    ['elect', 'one leader latch'],
  ] as const)('%s: ten processes of three kinds on %s exclude one another', async (what, _) => {
    const { history, count } = await contest(what, freshPath(what), peers, 400);
    for (const verdict of [check.exclusive(history), check.tokensIncrease(history)]) {
      expect(verdict.result, verdictText(verdict)).toBe('valid');
    }
    // Told without any clock: nobody overwrote what another had counted.
    expect(count).toBe(history.events.filter(({ type }) => type === 'held').length);
  });

  test("the verdict sees it when they do not: kazoo's lock under a name of its own", async () => {
    const { history } = await contest('alien', freshPath('alien'), [of('kazoo'), of('quorate'), of('curator')], 100);
    expect(check.exclusive(history).summary).toMatch(/^two holders of/);
  });

  test('Curator asks a holder of ours to let go', async () => {
    const path = freshPath('revoked');
    const lease = await new Lock(zk, path, { revocable: true }).acquire();
    await of('curator').ask(`revoke ${path}`);
    await eventually('the end of the lease', () => lease.signal.aborted);
    expect((lease.signal.reason as LeaseEndedError).reason).toBe('revoked');
    await lease.release();
  });

  test('we ask a holder of Curator’s', async () => {
    const path = freshPath('revoked');
    const curator = of('curator');
    expect(await curator.ask(`hold ${path}`)).toBe('holds');
    const lock = new Lock(zk, path);
    expect(await lock.tryAcquire()).toBeUndefined();
    expect(await lock.revoke()).toBe(1);
    await curator.says('stopped');
    await using lease = await lock.tryAcquire();
    expect(lease).toBeDefined();
  });
});
