import { eventually } from '@quorate/testbed';
import { bedTest } from '@quorate/testbed/vitest';
import { connect, creatorAcl } from '@quorate/zookeeper';
import { expect } from 'vitest';
import { Queue } from '../src/index.ts';
import { childrenOf } from './conformance/store.ts';
import { beforeWrite } from './lost-message.ts';

const test = bedTest({ zookeeper: 1 });

test('puts at once beyond eight leave no more than eight receipts, which the next ones use', async ({ bed }) => {
  await using zk = await connect(bed.zookeeper.url);
  await using other = await connect(bed.zookeeper.url);
  const queue = new Queue(zk, '/many');
  const receipts = (): Promise<string[]> => childrenOf(other, '/many/puts');
  const putMany = (): Promise<unknown> => Promise.all(Array.from({ length: 20 }, (_, index) => queue.put(index)));
  await putMany();
  await eventually('eight are left', async () => (await receipts()).length === 8, { within: 5_000 });
  const kept = await receipts();
  await putMany();
  await eventually('the same are left', async () => (await receipts()).length === 8, { within: 5_000 });
  expect((await receipts()).sort()).toEqual(kept.sort());
});

test('a receipt of which nobody knows what it says is used for no other put', async ({ bed }) => {
  await using other = await connect(bed.zookeeper.url);
  const link = bed.link('unknown', 'zookeeper-1');
  await using zk = await connect(await link.address);
  const queue = new Queue(zk, '/unknown');
  await queue.put('first');
  const items = (count: number) => async () => (await childrenOf(other, '/unknown/items')).length === count;
  const [, server] = link.parties;
  const enough = new AbortController();
  // Done, and nobody waits for the reply when it is lost.
  const sent = beforeWrite(zk, 1, () => void link.set({ blackHole: server }));
  const given = queue.put('given up', { signal: enough.signal });
  given.catch(() => undefined);
  await sent;
  await eventually('the server has done it', items(2));
  enough.abort();
  await link.reset();
  await link.heal();
  await expect(given).rejects.toThrow();
  await queue.put('last');
  expect(await items(3)()).toBe(true);
  await eventually('it is taken away', async () => (await childrenOf(other, '/unknown/puts')).length === 1);
});

test('two queues of one session with lists of their own: each has receipts of its own', async ({ bed }) => {
  const auth = { scheme: 'digest', user: 'taxi', password: 'secret' } as const;
  await using zk = await connect(bed.zookeeper.url, { auth });
  await new Queue(zk, '/lists').put('for all');
  await new Queue(zk, '/lists', { acl: creatorAcl }).put('for us');
  await new Queue(zk, '/lists', { acl: [...creatorAcl] }).put('for us as well');
  const lists = (await childrenOf(zk, '/lists/puts')).map(async (name) => (await zk.acl(`/lists/puts/${name}`)).acl);
  const schemes = (await Promise.all(lists)).map(([entry]) => entry?.scheme);
  expect(schemes.sort()).toEqual(['digest', 'world']);
});
