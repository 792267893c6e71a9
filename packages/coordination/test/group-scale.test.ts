import { tracingChannel } from 'node:diagnostics_channel';
import { bedTest } from '@quorate/testbed/vitest';
import { connect, type TracedRequest, type ZooKeeper } from '@quorate/zookeeper';
import { expect } from 'vitest';
import { Group, type Membership } from '../src/index.ts';

// Long ticks allow long sessions: what is tested is not how busy the machine is.
const test = bedTest({ zookeeper: { members: 1, config: { tickTime: 2_000 } } });

/** What a session asks for while `work` is done. */
async function requestsOf(zk: ZooKeeper, work: () => Promise<unknown>): Promise<string[]> {
  const asked: string[] = [];
  const start = (message: unknown): void => {
    const { sessionId, operation } = message as TracedRequest;
    if (sessionId === zk.id) asked.push(operation);
  };
  const channel = tracingChannel('quorate.zookeeper.request');
  channel.start.subscribe(start);
  try {
    await work();
  } finally {
    channel.start.unsubscribe(start);
  }
  return asked;
}

test('10,000 members: all are read in few requests, and a change costs one', async ({ bed }) => {
  const many = 10_000;
  await using members = await connect(bed.zookeeper.url, { sessionTimeout: 40_000 });
  await using watcher = await connect(bed.zookeeper.url, { sessionTimeout: 40_000 });
  const lists = new Group(watcher, '/g').watch();
  const group = new Group(members, '/g');
  const memberships: Membership[] = [];
  let next = 0;
  // A hundred at a time: a session counts from when the request was sent that was answered last.
  const joining = async (): Promise<void> => {
    while (next < many) {
      const i = next++;
      memberships[i] = await group.join({ id: `member-${i}`, data: `http://10.0.0.1:${i}` });
    }
  };
  await Promise.all(Array.from({ length: 100 }, joining));
  for await (const list of lists) if (list.length === many) break;
  // Its node, and a watch on it. That it is a group is known from the first time.
  const joined = await requestsOf(members, async () => {
    memberships.push(await group.join({ id: 'one-more' }));
    await members.get('/g');
  });
  expect(joined.filter((operation) => operation !== 'sync')).toEqual(['create', 'exists', 'get']);
  await memberships.pop()?.leave();
  const watched = new Group(watcher, '/g').watch();
  const first = await requestsOf(watcher, async () => {
    expect((await watched.next()).value).toHaveLength(many);
  });
  expect(first.length).toBeLessThan(60);
  const changed = await requestsOf(watcher, async () => {
    await memberships[77]?.update('changed');
    const list = (await watched.next()).value ?? [];
    expect(list).toHaveLength(many);
    expect(list.find(({ id }) => id === 'member-77')?.data.toString()).toBe('changed');
  });
  expect(changed).toHaveLength(1);
  const left = await requestsOf(watcher, async () => {
    await memberships[78]?.leave();
    expect((await watched.next()).value).toHaveLength(many - 1);
  });
  expect(left).toHaveLength(1);
  await watched.return?.();
});
