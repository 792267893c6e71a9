import { type BedOf, check, eventually, History, type HistoryEvent, Testbed, verdictText } from '@quorate/testbed';
import { connect, type ZooKeeper } from '@quorate/zookeeper';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Group, type LeaseEndedError, Lock, ReadWriteLock } from '../src/index.ts';
import { childrenOf, freshPath } from './conformance/store.ts';
import { InteropPeer, type Kind, type Recipe, whatIsMissing } from './interop/peer.ts';

const kinds: readonly Kind[] = ['quorate', 'curator', 'kazoo'];

describe('with Apache Curator and kazoo on one server', () => {
  let bed: BedOf<{ zookeeper: 1 }>;
  let zk: ZooKeeper;
  let missing: string | undefined;
  /** Ten processes: four of ours, three of each of the others. */
  let peers: readonly InteropPeer[] = [];

  const of = (kind: Kind): InteropPeer[] => peers.filter((peer) => peer.kind === kind);

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

  /** Not a container: it must outlive a moment in which nobody stands in line. */
  async function prepare(path: string): Promise<void> {
    await zk.transaction().create(path).create(`${path}-counter`, '0').commit();
  }

  /** Lets them contend until they have held it so often in all, and each a few times. Gives what each says. */
  async function contest(
    path: string,
    contenders: readonly (readonly [InteropPeer, Recipe])[],
    holdings: number,
  ): Promise<History[]> {
    for (const [peer, recipe] of contenders) peer.begin(recipe, path);
    const counts = (): number[] => contenders.map(([peer]) => peer.holdings);
    await eventually(
      `${holdings} holdings`,
      () => Math.min(...counts()) >= 5 && counts().reduce((sum, count) => sum + count, 0) >= holdings,
      { within: 90_000, every: 100 },
    );
    return Promise.all(contenders.map(([peer]) => peer.stop()));
  }

  /** Told without any clock: when nobody overwrote what another had counted, the counter says how often it was held. */
  async function counted(path: string): Promise<number> {
    return Number((await zk.get(`${path}-counter`)).data);
  }

  test.each<[Recipe, string]>([
    ['lock', 'one lock'],
    ['elect', 'one leader latch'],
  ])('%s: ten processes of three kinds on %s exclude one another', async (recipe) => {
    const path = freshPath(recipe);
    await prepare(path);
    const history = History.merge(
      ...(await contest(
        path,
        peers.map((peer) => [peer, recipe]),
        400,
      )),
    );
    for (const verdict of [check.exclusive(history), check.tokensIncrease(history)]) {
      expect(verdict.result, verdictText(verdict)).toBe('valid');
    }
    expect(await counted(path)).toBe(holdings(history).length);
  });

  test("the verdict sees it when they do not: kazoo's lock under a name of its own", async () => {
    const path = freshPath('alien');
    await prepare(path);
    const contenders = kinds.map((kind) => [of(kind)[0], 'alien'] as [InteropPeer, Recipe]);
    const history = History.merge(...(await contest(path, contenders, 100)));
    expect(check.exclusive(history).summary).toMatch(/^two holders of/);
  });

  test('readers and writers of ours and of Curator', async () => {
    const path = freshPath('both');
    await prepare(path);
    const all = [...of('quorate'), ...of('curator')];
    const isWriter = (index: number): boolean => index % 3 === 2;
    const histories = await contest(
      path,
      all.map((peer, index) => [peer, isWriter(index) ? 'write' : 'read']),
      300,
    );
    const writers = histories.filter((_, index) => isWriter(index));
    const readers = histories.filter((_, index) => !isWriter(index));
    for (const reader of readers) {
      const verdict = check.exclusive(History.merge(...writers, reader));
      expect(verdict.result, verdictText(verdict)).toBe('valid');
    }
    expect(await counted(path)).toBe(holdings(History.merge(...writers)).length);
    // Otherwise it would be a lock like any other.
    expect(check.exclusive(History.merge(...readers)).result).toBe('invalid');
  });

  test('a downgrade lets readers of Curator in, and not its writers', async () => {
    const path = freshPath('downgrade');
    await prepare(path);
    const [reader, writer] = of('curator') as [InteropPeer, InteropPeer];
    const lock = new ReadWriteLock(zk, path);
    const writing = await lock.write.acquire();
    for (const [index, [peer, recipe]] of (
      [
        [reader, 'read'],
        [writer, 'write'],
      ] as const
    ).entries()) {
      peer.begin(recipe, path);
      await eventually('its place in line', async () => (await childrenOf(zk, path)).length === index + 2);
    }
    expect(reader.holdings).toBe(0);
    const reading = await lock.downgrade(writing);
    await eventually('a reader', () => reader.holdings > 0);
    expect(writer.holdings).toBe(0);
    await reading.release();
    await eventually('the writer', () => writer.holdings > 0);
    await Promise.all([reader.stop(), writer.stop()]);
  });

  test('permits of ours and of Curator: two hold it at once, and never a third', async () => {
    const path = freshPath('permits');
    await prepare(path);
    const contenders = [...of('quorate'), ...of('curator')].map((peer) => [peer, 'permit'] as const);
    expect(mostAtOnce(History.merge(...(await contest(path, contenders, 300))))).toBe(2);
  });

  test('a group of ours and of Curator: each sees the other', async () => {
    const path = freshPath('group');
    const [curator] = of('curator') as [InteropPeer];
    const group = new Group(zk, path);
    await using _ = await group.join({ id: 'ours' });
    expect(await curator.ask(`join ${path}`)).toBe('joined');
    await eventually('Curator to know both', async () => (await curator.ask('members')) === `${curator.name},ours`);
    const ids = (await group.members()).map(({ id }) => id);
    expect(ids.sort()).toEqual([curator.name, 'ours']);
  });

  test('Curator asks a holder of ours to let go', async () => {
    const path = freshPath('revoked');
    const lease = await new Lock(zk, path, { revocable: true }).acquire();
    await of('curator')[0]?.ask(`revoke ${path}`);
    await eventually('the end of the lease', () => lease.signal.aborted);
    expect((lease.signal.reason as LeaseEndedError).reason).toBe('revoked');
    await lease.release();
  });

  test('we ask a holder of Curator’s', async () => {
    const path = freshPath('revoked');
    const [curator] = of('curator') as [InteropPeer];
    expect(await curator.ask(`hold ${path}`)).toBe('holds');
    const lock = new Lock(zk, path);
    expect(await lock.tryAcquire()).toBeUndefined();
    expect(await lock.revoke()).toBe(1);
    await curator.says('stopped');
    await using lease = await lock.tryAcquire();
    expect(lease).toBeDefined();
  });
});

function mostAtOnce({ events }: History): number {
  let [now, most] = [0, 0];
  for (const { type } of events) {
    if (type === 'held') now += 1;
    else if (type === 'released') now -= 1;
    most = Math.max(most, now);
  }
  return most;
}

function holdings({ events }: History): HistoryEvent[] {
  return events.filter(({ type }) => type === 'held');
}
