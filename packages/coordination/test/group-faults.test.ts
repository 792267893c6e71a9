import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { eventually, History } from '@quorate/testbed';
import { bedTest } from '@quorate/testbed/vitest';
import { connect } from '@quorate/zookeeper';
import { expect } from 'vitest';
import { Group, type Member } from '../src/index.ts';
import { subject } from './subject.ts';

// Short ticks, so that sessions may be short.
const tickTime = 100;
const sessionTimeout = 1_000;
const test = bedTest({ zookeeper: { members: 1, config: { tickTime } } });

const idsOf = (members: readonly Member[] | undefined): string[] => (members ?? []).map(({ id }) => id);

/** Reads lists until one is as wanted, and leaves the stream open. */
async function until(lists: AsyncIterator<Member[]>, wanted: (ids: string[]) => boolean): Promise<Member[]> {
  for (;;) {
    const { done, value } = await lists.next();
    if (done) throw new Error('the stream has ended');
    if (wanted(idsOf(value))) return value;
  }
}

/** A process that joins as `one` and says so, until it is killed. */
function member(url: string): ReturnType<typeof spawn> {
  const module = (name: string): string => JSON.stringify(import.meta.resolve(name));
  const source = `
    import { Group } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)};
    import { connect } from ${module('@quorate/zookeeper')};
    const zk = await connect(process.argv[1], { sessionTimeout: ${sessionTimeout} });
    await new Group(zk, '/g').join({ id: 'one', data: String(process.pid) });
    console.log('joined');
  `;
  return spawn(process.execPath, ['--conditions=@quorate/source', '--input-type=module', '-e', source, url], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function joined(child: ReturnType<typeof spawn>): Promise<void> {
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  expect((await lines.next()).value).toBe('joined');
}

test.concurrent('a member that is killed is seen gone within its session timeout, and its successor is let in', async ({
  bed,
}) => {
  await using s = await subject(bed, { root: '/killed' });
  const group = new Group(s.witness, '/g');
  const lists = group.watch();
  await lists.next();
  const first = member(`${bed.zookeeper.url}/killed`);
  await joined(first);
  await until(lists, (ids) => ids.includes('one'));
  const [before] = await group.members();
  const second = member(`${bed.zookeeper.url}/killed`);
  try {
    first.kill('SIGKILL');
    const killed = performance.now();
    // Gone for a moment, or replaced at once: in either case another one.
    await until(lists, () => true);
    const noticed = performance.now() - killed;
    // A server looks at sessions once a tick; the rest is for a busy machine.
    expect(noticed).toBeLessThan(sessionTimeout + 2 * tickTime + 1_500);
    await joined(second);
    const [after] = await group.members();
    expect(after?.token).toBeGreaterThan(before?.token ?? 0n);
    expect(`${after?.data}`).toBe(String(second.pid));
  } finally {
    second.kill('SIGKILL');
    await once(second, 'exit');
  }
});

test.concurrent('a member behind a black hole knows that it is none before anybody else can see it', async ({
  bed,
}) => {
  await using s = await subject(bed, { root: '/black-hole', sessionTimeout });
  const membership = await new Group(s.zk, '/g').join({ id: 'one' });
  const history = new History();
  const lists = new Group(s.witness, '/g').watch();
  await until(lists, (ids) => ids.includes('one'));
  membership.signal.addEventListener('abort', () => history.note('knows'));
  await s.link.set({ blackHole: true });
  await until(lists, (ids) => ids.length === 0);
  history.note('is seen');
  expect(history.events.map((event) => event.type === 'note' && event.label)).toEqual(['knows', 'is seen']);
  // The leader has not answered for half the session timeout.
  expect(membership.signal.reason).toMatchObject({ code: 'lease-suspended' });
  await membership.leave();
});

test.concurrent('a member that wants to be certain ends when the connection breaks, and its node when it leaves', async ({
  bed,
}) => {
  await using s = await subject(bed, { root: '/certain' });
  const group = new Group(s.zk, '/g');
  const certain = await group.join({ id: 'certain' }, { onSuspended: 'stop' });
  const patient = await group.join({ id: 'patient' });
  const ended = once(certain.signal, 'abort');
  await s.link.reset();
  await ended;
  expect(certain.signal.reason).toMatchObject({ code: 'lease-suspended' });
  expect(patient.signal.aborted).toBe(false);
  await expect(certain.update('x')).rejects.toMatchObject({ code: 'lease-suspended', happened: 'no' });
  expect(idsOf(await group.members())).toEqual(['certain', 'patient']);
  await certain.leave();
  await patient.update('still here');
  expect(idsOf(await group.members())).toEqual(['patient']);
});

test.concurrent('a watcher that was cut off comes to see what it has missed', async ({ bed }) => {
  await using s = await subject(bed, { root: '/cut-off' });
  const others = new Group(s.witness, '/g');
  const leaving = await others.join({ id: 'leaving' });
  const changing = await others.join({ id: 'changing', data: 'old' });
  const lists = new Group(s.zk, '/g').watch();
  expect(idsOf((await lists.next()).value)).toEqual(['leaving', 'changing']);
  for (let i = 0; i < 3; i += 1) {
    await s.link.set({ refuse: true });
    await eventually('it is cut off', () => s.zk.state === 'suspended');
    await leaving.leave();
    await changing.update(`new ${i}`);
    await using _ = await others.join({ id: `coming ${i}` });
    await s.link.heal();
    expect(await until(lists, (ids) => ids.includes(`coming ${i}`))).toMatchObject([
      { id: 'changing', data: Buffer.from(`new ${i}`) },
      { id: `coming ${i}` },
    ]);
  }
});

test.concurrent('a watcher is told when its session is lost', async ({ bed }) => {
  await using s = await subject(bed, { root: '/lost', sessionTimeout });
  const lists = new Group(s.zk, '/g').watch();
  await lists.next();
  const next = lists.next();
  next.catch(() => undefined);
  await s.link.set({ blackHole: true });
  await expect(next).rejects.toMatchObject({ code: 'session-lost' });
});

test.concurrent('the session of one who waits to join is lost: the wait ends', async ({ bed }) => {
  await using s = await subject(bed, { root: '/waiting', sessionTimeout });
  await using _ = await new Group(s.witness, '/g').join({ id: 'one' });
  const joining = new Group(s.zk, '/g').join({ id: 'one' });
  const rejected = expect(joining).rejects.toMatchObject({ code: 'session-lost' });
  await s.link.set({ blackHole: true });
  await rejected;
});

test.concurrent('a session that is over is no member, whoever asks late', async ({ bed }) => {
  const zk = await connect(bed.zookeeper.url);
  const group = new Group(zk, '/late');
  const membership = await group.join({ id: 'one' });
  await zk.close();
  expect(membership.signal.aborted).toBe(true);
  await membership.leave();
});
