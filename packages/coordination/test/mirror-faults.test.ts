import { eventually, seeded } from '@quorate/testbed';
import { bedTest } from '@quorate/testbed/vitest';
import type { ZooKeeper } from '@quorate/zookeeper';
import { expect } from 'vitest';
import { Mirror } from '../src/index.ts';
import { subject } from './subject.ts';

// Short ticks, so that sessions may be short.
const test = bedTest({ zookeeper: { members: 1, config: { tickTime: 100 } } });

const shown = (mirror: Mirror): string[] => [...mirror].map(([path, { data }]) => `${path}=${data}`).sort();

/** The same, asked of the server. */
async function truth(zk: ZooKeeper, path: string): Promise<string[]> {
  const [{ data }, { names }] = await Promise.all([zk.get(path), zk.children(path)]);
  const below = await Promise.all(names.map((name) => truth(zk, `${path}/${name}`)));
  return [`${path}=${data}`, ...below.flat()].sort();
}

test.concurrent('a mirror that was cut off says so, and comes to show what it has missed', async ({ bed }) => {
  await using s = await subject(bed, { root: '/cut-off' });
  for (const path of ['/m', '/m/a', '/m/a/1', '/m/b', '/m/c']) await s.witness.create(path, 'old');
  await using mirror = new Mirror(s.zk, '/m');
  await mirror.ready;
  const before = shown(mirror);
  await s.link.set({ refuse: true });
  await eventually('it says so', () => mirror.state === 'stale');
  await eventually('it ages', () => mirror.age > 20);
  await s.witness.delete('/m/a', { recursive: true });
  await s.witness.set('/m/b', 'new');
  await s.witness.create('/m/d', 'new');
  await s.witness.delete('/m/c');
  await s.witness.create('/m/c', 'again');
  expect(shown(mirror)).toEqual(before);
  const changes = mirror.changes();
  await s.link.heal();
  await eventually('it is current again', () => mirror.state === 'current');
  expect(mirror.age).toBe(0);
  expect(shown(mirror)).toEqual(['/m/b=new', '/m/c=again', '/m/d=new', '/m=old']);
  const told: string[] = [];
  for await (const { type, path } of changes) if (told.push(`${type} ${path}`) === 5) break;
  expect(told.sort()).toEqual(['changed /m/b', 'changed /m/c', 'changed /m/d', 'deleted /m/a', 'deleted /m/a/1']);
});

test.concurrent.for([1, 2, 3])(
  'shows what is there after any churn over a connection that breaks (seed %i)',
  async (seed, { bed }) => {
    await using s = await subject(bed, { root: `/churn-${seed}` });
    const random = seeded(seed);
    await s.witness.create('/m');
    await using mirror = new Mirror(s.zk, '/m');
    const any = (below: number): number => Math.floor(random.next() * below);
    for (let i = 0; i < 400; i += 1) {
      const path = random.next() < 0.3 ? `/m/${any(6)}` : `/m/${any(6)}/${any(6)}`;
      const write = [
        () => s.witness.create(path, `${i}`, { parents: true }),
        () => s.witness.set(path, `${i}`),
        () => s.witness.delete(path, { recursive: true }),
      ][any(3)];
      await write?.().catch(() => undefined);
      if (i % 40 === 39) await s.link.reset();
    }
    await s.witness.create('/m/last');
    await eventually(
      `it shows the last change (seed ${seed})`,
      () => mirror.state === 'current' && mirror.get('/m/last'),
    );
    expect(shown(mirror), `seed ${seed}`).toEqual(await truth(s.witness, '/m'));
  },
);

test.concurrent('what was read while the connection broke is not taken for current', async ({ bed }) => {
  await using s = await subject(bed, { root: '/broke' });
  await s.witness.create('/m');
  let broken = false;
  const breaking = new Proxy(s.zk, {
    get: (target, name) => {
      if (name !== 'readMany') return Reflect.get(target, name, target);
      return async (...args: Parameters<ZooKeeper['readMany']>) => {
        const outcomes = await target.readMany(...args);
        if (broken) return outcomes;
        broken = true;
        // Neither what has just been read nor the watch knows of what is created now.
        await s.link.set({ refuse: true });
        await eventually('it is cut off', () => target.state === 'suspended');
        await s.witness.create('/m/late');
        await s.link.heal();
        return outcomes;
      };
    },
  });
  await using mirror = new Mirror(breaking, '/m');
  await mirror.ready;
  expect(shown(mirror)).toEqual(['/m/late=', '/m=']);
});

test.concurrent('a mirror ends when its session is lost, and everybody is told why', async ({ bed }) => {
  await using s = await subject(bed, { root: '/lost', sessionTimeout: 1_000 });
  await using mirror = new Mirror(s.zk, '/m');
  await mirror.ready;
  const next = mirror.changes().next();
  next.catch(() => undefined);
  await s.link.set({ blackHole: true });
  await expect(next).rejects.toMatchObject({ code: 'session-lost' });
  expect(mirror.state).toBe('ended');
  expect(mirror.signal.reason).toMatchObject({ code: 'session-lost' });
  expect(() => mirror.get('/m')).toThrow(mirror.signal.reason);
  expect(mirror.age).toBeGreaterThan(0);
});
