import { isQuorateError } from '@quorate/core';
import { eventually, type Link, type Seeded, seeded } from '@quorate/testbed';
import { bedTest } from '@quorate/testbed/vitest';
import { connect, type WatchEvent, type ZooKeeper } from '@quorate/zookeeper';
import { expect } from 'vitest';
import { DoubleBarrier } from '../src/index.ts';

const test = bedTest({ zookeeper: { members: 1, config: { tickTime: 100 } } });
const path = '/together';
const size = 3;

interface Participant {
  readonly link: Link;
  readonly address: string;
  readonly chance: Seeded;
  entered: number;
}

/** Enters and leaves, now and then giving up, dying or losing its session, until it is told to stop. */
async function takePart(participant: Participant, stop: AbortSignal): Promise<void> {
  const { address } = participant;
  while (!stop.aborted) {
    const zk = await connect(address, { sessionTimeout: 1_000, signal: stop }).catch(() => undefined);
    if (!zk) continue;
    try {
      const barrier = new DoubleBarrier(zk, path, { size });
      let isAlive = true;
      while (!stop.aborted && isAlive) isAlive = await oneRound(barrier, participant, stop);
    } catch (error) {
      if (!isQuorateError(error)) throw error;
    } finally {
      await zk.close({ signal: AbortSignal.timeout(1_500) });
    }
  }
}

/** Whether it lives on. If not its session is closed, wherever it is. */
async function oneRound(barrier: DoubleBarrier, participant: Participant, stop: AbortSignal): Promise<boolean> {
  const { chance } = participant;
  const patience = (): { signal: AbortSignal; timeout: number } => ({
    signal: stop,
    timeout: chance.next() < 0.4 ? chance.integer(0, 30) : 2_000,
  });
  try {
    await barrier.enter(patience());
    participant.entered += 1;
    if (chance.next() < 0.1) return false;
    await barrier.leave(patience());
  } catch (error) {
    if (stop.aborted || isQuorateError(error, 'deadline-exceeded')) return chance.next() < 0.9;
    throw error;
  }
  return true;
}

/** Replays what an undisturbed session saw of the nodes: how many members were there at each opening. */
function openings(events: readonly WatchEvent[]): number[] {
  const members = new Set<string>();
  const counts: number[] = [];
  const ready = `${path}/ready`;
  for (const [place, { type, path: changed }] of events.entries()) {
    const next = events[place + 1];
    // Ours, to wake everybody for nothing: no round is over without anybody leaving.
    const isForNothing = next?.type === 'deleted' && next.path === ready;
    if (type === 'created' && changed === ready) counts.push(...(isForNothing ? [] : [members.size]));
    else if (type === 'created' && changed !== path) members.add(changed);
    else if (type === 'deleted') members.delete(changed);
  }
  return counts;
}

test('whatever happens to participants, it never opens with fewer than its size', { timeout: 180_000 }, async ({
  bed,
}) => {
  const seed = Number(process.env.QUORATE_SEED ?? Math.floor(Math.random() * 2 ** 31));
  const chance = seeded(seed);
  await using other = await connect(bed.zookeeper.url);
  await other.create(path);
  const events: WatchEvent[] = [];
  const observer = other.watch(path, { mode: 'recursive' });
  await observer.ready;
  const observing = (async () => {
    for await (const event of observer) events.push(event);
  })();

  const participants: Participant[] = [];
  for (let i = 0; i < 6; i += 1) {
    const link = bed.link(`participant-${i}`, 'zookeeper-1');
    participants.push({ link, address: await link.address, chance: chance.fork(`participant-${i}`), entered: 0 });
  }
  const stop = new AbortController();
  const running = participants.map((participant) => takePart(participant, stop.signal));
  const enteredBy = (): number => participants.reduce((sum, { entered }) => sum + entered, 0);
  for (let fault = 0; fault < 40; fault += 1) {
    const { link } = chance.pick(participants);
    const before = enteredBy();
    const kind = chance.integer(0, 3);
    if (kind === 0) await link.reset();
    else if (kind === 1) await link.set({ blackHole: chance.pick(link.parties) });
    else await wakeForNothing(other);
    await eventually('the others go on', () => enteredBy() > before + 2, { within: 10_000, every: 5 });
    if (kind === 1) await link.reset();
    await link.heal();
  }
  stop.abort(new DOMException('enough', 'AbortError'));
  await Promise.all(running);

  await using fresh = await connect(bed.zookeeper.url);
  const last = [other, fresh, fresh].map((zk) => new DoubleBarrier(zk, path, { size }));
  await Promise.all(last.map((each) => each.enter({ timeout: 20_000 })));
  await Promise.all(last.map((each) => each.leave({ timeout: 20_000 })));
  expect((await other.children(path)).names).toEqual([]);
  await observer.return?.();
  await observing;
  expect(events.filter(({ type }) => type === 'gap')).toEqual([]);
  const counts = openings(events);
  expect(counts.length, `seed ${seed}`).toBeGreaterThan(20);
  expect(
    counts.filter((count) => count < size),
    `seed ${seed}`,
  ).toEqual([]);
});

/** Everybody who waits for the opening is woken, and there is none. */
async function wakeForNothing(zk: ZooKeeper): Promise<void> {
  const { names } = await zk.children(path);
  const touching = zk.transaction().set(path, '');
  if (!names.includes('ready')) touching.create(`${path}/ready`).delete(`${path}/ready`);
  await touching.commit().catch(() => undefined);
}
