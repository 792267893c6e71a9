import { type BedOf, eventually, seeded } from '@quorate/testbed';
import { bedTest } from '@quorate/testbed/vitest';
import { connect, Sessions, type ZooKeeper } from '@quorate/zookeeper';
import { expect } from 'vitest';
import { Mirror, type MirrorChange } from '../src/index.ts';

// Short ticks, so that sessions may be short.
const servers = { zookeeper: { members: 1, config: { tickTime: 100 } } } as const;
const test = bedTest(servers);

type Bed = BedOf<typeof servers>;

let links = 0;

/** Sessions on a link of their own, and a client that no fault touches, both below a root of their own. */
async function below(bed: Bed, root: string) {
  links += 1;
  const link = bed.link(`mirror-${links}`, 'zookeeper-1');
  const witness = await connect(`${bed.zookeeper.url}${root}`);
  await witness.create('/', '', { parents: true });
  const sessions = new Sessions(`${await link.address}${root}`, { sessionTimeout: 500 });
  return {
    sessions,
    witness,
    /** Ends the session, and lets no other begin before `meanwhile` is done. */
    async expire(meanwhile: () => Promise<unknown>): Promise<void> {
      const zk = await sessions.session();
      await link.set({ refuse: true });
      await eventually('the session is over', () => zk.lost.aborted);
      await meanwhile();
      await link.heal();
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await link.heal();
      await sessions.stop();
      await witness.close();
    },
  };
}

const shown = (mirror: Mirror): string[] => [...mirror].map(([path, { data }]) => `${path}=${data}`).sort();

/** The same, asked of the server. */
async function truth(zk: ZooKeeper, path: string): Promise<string[]> {
  const [{ data }, { names }] = await Promise.all([zk.get(path), zk.children(path)]);
  const all = await Promise.all(names.map((name) => truth(zk, `${path}/${name}`)));
  return [`${path}=${data}`, ...all.flat()].sort();
}

/** Each change that a reader is told of, as it comes. */
function told(mirror: Mirror, tell: (change: MirrorChange) => void): Promise<unknown> {
  return (async () => {
    for await (const change of mirror.changes()) tell(change);
    return 'over';
  })().catch((error) => error);
}

test('a mirror over sessions keeps its copy between two of them, and tells exactly what differs', async ({ bed }) => {
  await using s = await below(bed, '/differences');
  for (const path of ['/m', '/m/a', '/m/a/1', '/m/b', '/m/c', '/m/same']) await s.witness.create(path, 'old');
  await using mirror = new Mirror(s.sessions, '/m');
  expect(mirror.state).toBe('loading');
  await mirror.ready;
  expect(mirror.state).toBe('current');
  const before = shown(mirror);
  const changes: string[] = [];
  const reading = told(mirror, ({ type, path }) => changes.push(`${type} ${path}`));
  await s.expire(async () => {
    expect(mirror.state).toBe('stale');
    await s.witness.delete('/m/a', { recursive: true });
    await s.witness.set('/m/b', 'new');
    await s.witness.delete('/m/c');
    await s.witness.create('/m/c', 'again');
    await s.witness.create('/m/d', 'new');
    await s.witness.create('/m/d/1', 'new');
    await s.witness.create('/m/brief');
    await s.witness.delete('/m/brief');
    const age = mirror.age;
    await eventually('it ages', () => mirror.age > age + 20);
    expect(shown(mirror)).toEqual(before);
    expect(mirror.children('/m/a')).toEqual(['1']);
    expect(mirror.signal.aborted).toBe(false);
  });
  await eventually('it is current again', () => mirror.state === 'current');
  expect(mirror.age).toBe(0);
  expect(shown(mirror)).toEqual(['/m/b=new', '/m/c=again', '/m/d/1=new', '/m/d=new', '/m/same=old', '/m=old']);
  await s.witness.set('/m/same', 'last');
  await eventually('what comes later is told', () => changes.at(-1) === 'changed /m/same');
  const differences = ['changed /m/b', 'changed /m/c', 'changed /m/d', 'changed /m/d/1'];
  expect(changes.toSorted()).toEqual([...differences, 'changed /m/same', 'deleted /m/a', 'deleted /m/a/1']);
  expect(changes.indexOf('deleted /m/a/1')).toBeLessThan(changes.indexOf('deleted /m/a'));
  await mirror.close();
  expect(await reading).toBe('over');
});

test('what was deleted as a whole is told as deleted, and what comes back as changed', async ({ bed }) => {
  await using s = await below(bed, '/whole');
  for (const path of ['/m', '/m/a']) await s.witness.create(path, 'old');
  await using mirror = new Mirror(s.sessions, '/m');
  await mirror.ready;
  const changes: string[] = [];
  void told(mirror, ({ type, path }) => changes.push(`${type} ${path}`));
  await s.expire(() => s.witness.delete('/m', { recursive: true }));
  await eventually('it is empty', () => mirror.state === 'current' && mirror.size === 0);
  await s.expire(() => s.witness.create('/m', 'new'));
  await eventually('it is there', () => mirror.state === 'current' && mirror.size === 1);
  await eventually('it is told', () => changes.length === 3);
  expect(changes).toEqual(['deleted /m/a', 'deleted /m', 'changed /m']);
});

test.concurrent.for([1, 2, 3, 4])(
  'after any history with expired sessions the tree and what was told of it are one (seed %i)',
  {
    timeout: 60_000,
  },
  async (seed, { bed }) => {
    await using s = await below(bed, `/history-${seed}`);
    const random = seeded(seed);
    const any = (limit: number): number => Math.floor(random.next() * limit);
    await s.witness.create('/m');
    await using mirror = new Mirror(s.sessions, '/m');
    // What a reader knows who looks at nothing but the changes.
    const known = new Map<string, string>();
    void told(mirror, (change) => {
      if (change.type === 'changed') known.set(change.path, `${change.node.data}`);
      else known.delete(change.path);
    });
    let count = 0;
    const churn = async (writes: number): Promise<void> => {
      for (let i = 0; i < writes; i += 1) {
        const path = `/m/${Array.from({ length: 1 + any(3) }, () => any(5)).join('/')}`;
        count += 1;
        const write = [
          () => s.witness.create(path, `${count}`, { parents: true }),
          () => s.witness.create(path, `${count}`, { parents: true }),
          () => s.witness.set(path, `${count}`),
          () => s.witness.delete(path, { recursive: true }),
        ][any(4)];
        // There is no such node, or there is one.
        await write?.().catch(() => undefined);
      }
    };
    const ids = new Set<bigint>();
    for (let round = 0; round < 4; round += 1) {
      ids.add((await s.sessions.session()).id);
      await churn(any(60));
      await s.expire(() => churn(any(60)));
      // Some of it while everything is read again.
      await churn(any(60));
    }
    expect(ids.size).toBe(4);
    await s.witness.create('/m/last', `${seed}`);
    await eventually(
      `it shows the last change (seed ${seed})`,
      () => mirror.state === 'current' && mirror.get('/m/last'),
    );
    const expected = await truth(s.witness, '/m');
    expect(shown(mirror), `seed ${seed}`).toEqual(expected);
    const asTold = (): string[] => [...known].map(([path, data]) => `${path}=${data}`).sort();
    await eventually(`the last change is told (seed ${seed})`, () => known.has('/m/last'));
    expect(asTold(), `seed ${seed}`).toEqual(expected);
  },
);

test('a mirror over sessions ends with them, when it is closed, and when it cannot go on', async ({ bed }) => {
  await using s = await below(bed, '/ends');
  await s.witness.create('/m');
  await using closed = new Mirror(s.sessions, '/m');
  await using stopped = new Mirror(s.sessions, '/m');
  await using full = new Mirror(s.sessions, '/m', { maxNodes: 1 });
  await Promise.all([closed.ready, stopped.ready, full.ready]);
  const endings = [closed, stopped, full].map((mirror) => told(mirror, () => undefined));
  await closed.close();
  expect(closed.signal.reason).toMatchObject({ code: 'mirror-closed' });
  await s.expire(() => s.witness.create('/m/a'));
  await eventually('it is full', () => full.signal.aborted);
  expect(full.state).toBe('ended');
  expect(full.signal.reason).toMatchObject({ code: 'mirror-too-large' });
  await eventually('the other goes on', () => stopped.get('/m/a'));
  await s.sessions.stop();
  await eventually('it has ended', () => stopped.state === 'ended');
  expect(stopped.signal.reason).toMatchObject({ code: 'sessions-stopped' });
  expect(() => stopped.get('/m')).toThrow(stopped.signal.reason);
  expect(await Promise.all(endings)).toEqual(['over', 'over', full.signal.reason]);
});

test('a mirror begins when there is a session, and waits for it as long as it takes', async ({ bed }) => {
  await using s = await below(bed, '/begins');
  await s.witness.create('/m', 'there');
  const link = bed.link('begins', 'zookeeper-1');
  await using sessions = new Sessions(`${await link.address}/begins`, { sessionTimeout: 500 });
  await link.set({ refuse: true });
  await using mirror = new Mirror(sessions, '/m');
  await using never = new Mirror(sessions, '/m');
  expect(mirror.state).toBe('loading');
  expect(mirror.age).toBe(Number.POSITIVE_INFINITY);
  expect([...mirror]).toEqual([]);
  await never.close();
  await expect(never.ready).rejects.toMatchObject({ code: 'mirror-closed' });
  await link.heal();
  await mirror.ready;
  expect(shown(mirror)).toEqual(['/m=there']);
});
