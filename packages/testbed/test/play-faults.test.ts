import { expect } from 'vitest';
import {
  eventually,
  type FaultSchedule,
  faultSchedule,
  faults,
  History,
  type PrepareFault,
  playFaults,
} from '../src/index.ts';
import { bedTest } from '../src/vitest.ts';
import { redisLine } from './redis-line.ts';

const test = bedTest({ redis: 3 });

function schedule(...faults: FaultSchedule['faults']): FaultSchedule {
  return { seed: 7, length: 400, faults };
}

test('a schedule breaks the bed, is written down, and all is well at its end', async ({ bed }) => {
  const history = new History();
  using line = await redisLine(bed, bed.link('client-a', 'redis-1').address);
  await line.ask('PING');
  const seen: string[] = [];
  const running = playFaults(
    schedule(
      { at: 10, kind: 'black-hole', target: ['client-a~redis-1'], duration: 300 },
      { at: 20, kind: 'kill', target: ['redis-2'], duration: 200 },
    ),
    bed,
    history,
    { onFault: ({ kind }, state) => seen.push(`${kind} ${state}`) },
  );
  await eventually('both have begun', () => seen.length === 2);
  await eventually('the replica is dead', () => bed.server('redis-2').state === 'killed', { every: 1 });
  line.send('PING');
  await running;
  expect(seen.toSorted()).toEqual(['black-hole begins', 'black-hole ends', 'kill begins', 'kill ends']);
  expect(await bed.health()).toMatchObject({ status: 'pass' });
  await eventually('the link is well', () => line.received() === '+PONG\r\n+PONG\r\n');
  expect(history.counts.faults).toEqual({ 'black-hole': 1, kill: 1 });
  const [note, hole] = history.events;
  expect(note).toMatchObject({ type: 'note', label: 'schedule', detail: { seed: 7, length: 400 } });
  expect(hole).toMatchObject({ type: 'fault', kind: 'black-hole', target: ['client-a', 'redis-1'] });
  expect(history.events.filter(({ type }) => type === 'healed')).toHaveLength(2);
  const heldFor = (history.events.find((event) => event.type === 'healed')?.at ?? 0) - (hole?.at ?? 0);
  expect(heldFor).toBeGreaterThan(150);
});

test('what is recorded as broken is broken for certain: after a kill and a pause are done, before a pause ends', async ({
  bed,
}) => {
  const history = new History();
  const seen: string[] = [];
  const look = (what: string): void => {
    const last = history.events.at(-1)?.type;
    seen.push(`${what}: ${last === 'fault' ? 'broken' : 'well'}`);
  };
  const watched =
    (prepare: PrepareFault): PrepareFault =>
    async (bed, planned) => {
      const fault = await prepare(bed, planned);
      const begin = async (): Promise<void> => {
        await fault.begin();
        look(`${planned.kind} is done`);
      };
      const end = async (): Promise<void> => {
        look(`${planned.kind} is to end`);
        await fault.end();
      };
      return { ...fault, begin, end };
    };
  const kinds = Object.fromEntries(Object.entries(faults).map(([kind, prepare]) => [kind, watched(prepare)]));
  const target = ['redis-3'];
  // Long, and far apart: on a busy machine one may begin or end late, and would be left out.
  const both = schedule(
    { at: 1, kind: 'pause', target, duration: 150 },
    { at: 800, kind: 'kill', target, duration: 150 },
  );
  await playFaults({ ...both, length: 1_000 }, bed, history, { faults: kinds });
  expect(seen).toEqual([
    'pause is done: well',
    'pause is to end: well',
    'kill is done: well',
    'kill is to end: broken',
  ]);
  expect(history.counts.faults).toEqual({ pause: 1, kill: 1 });
});

test('two faults never have hold of one server or link at once, whatever they call it', async ({ bed }) => {
  const seed = Number(process.env.QUORATE_SEED ?? Math.floor(Math.random() * 2 ** 31));
  // As zookeeper-leader is: a role, which one of them has.
  const ofRole =
    (prepare: PrepareFault): PrepareFault =>
    (bed, fault) =>
      prepare(bed, { ...fault, target: fault.target.map((name) => name.replace('primary', '1')) });
  const roles = Object.fromEntries(Object.entries(faults).map(([kind, prepare]) => [kind, ofRole(prepare)]));
  const planned = faultSchedule(seed, {
    length: 900,
    recovery: 100,
    together: 4,
    pause: [1, 40],
    duration: [40, 160],
    faults: [
      { kind: 'kill', targets: ['redis-1', 'redis-primary'] },
      { kind: 'pause', targets: ['redis-1', 'redis-primary'], weight: 2 },
      { kind: 'latency', targets: ['redis-1~redis-2', 'redis-2~redis-1'] },
    ],
  });
  const history = new History();
  await playFaults(planned, bed, history, { faults: roles });
  const open = new Map<number, string>();
  for (const event of history.events) {
    if (event.type === 'healed') open.delete(event.id);
    if (event.type !== 'fault') continue;
    const broken = event.target.toSorted().join();
    expect([...open.values()], `seed ${seed}: ${event.kind} of ${broken} begins`).not.toContain(broken);
    expect(event.target.join()).not.toContain('primary');
    open.set(event.id, broken);
  }
  expect(history.counts.faults, `seed ${seed}`).not.toEqual({});
  await eventually('the replicas have found it again', async () => (await bed.health()).status === 'pass');
});

test('is over only when what takes long to come back is back', async ({ bed }) => {
  const { promise: back, resolve } = Promise.withResolvers<void>();
  let isOver = false;
  const slow: PrepareFault = async (bed) => ({
    target: ['redis-1'],
    servers: [bed.server('redis-1')],
    begin: async () => {},
    end: async () => {
      // Longer than the schedule, and all that is done after it without waiting for this.
      setTimeout(resolve, 150);
      await back;
      expect(isOver).toBe(false);
    },
  });
  const planned = schedule({ at: 1, kind: 'slow-end', target: ['redis-1'], duration: 10 });
  const history = new History();
  await playFaults({ ...planned, length: 20 }, bed, history, { faults: { 'slow-end': slow } });
  isOver = true;
  expect(history.events.map(({ type }) => type)).toEqual(['note', 'fault', 'healed']);
});

test('an aborted schedule heals too', async ({ bed }) => {
  const stop = new AbortController();
  const history = new History();
  const running = playFaults(schedule({ at: 1, kind: 'pause', target: ['redis-1'], duration: 60_000 }), bed, history, {
    signal: stop.signal,
    onFault: () => stop.abort(new Error('enough')),
  });
  await expect(running).rejects.toThrow('enough');
  expect(bed.server('redis-1').state).toBe('running');
  expect(await bed.health()).toMatchObject({ status: 'pass' });
  expect(history.events.at(-1)).toMatchObject({ type: 'healed' });
});

test('a schedule that does not fit the bed is refused before anything breaks', async ({ bed }) => {
  const history = new History();
  const good = { at: 1, kind: 'kill', target: ['redis-1'], duration: 10 };
  for (const [bad, message] of [
    [{ ...good, kind: 'flood' }, /^schedule: expected one of the faults kill, pause, .*, got 'flood'/],
    [{ ...good, target: ['redis-4'] }, /^server: expected one of redis-1, redis-2, redis-3, got 'redis-4'/],
    [{ ...good, kind: 'latency' }, /^link: expected/],
    [{ ...good, kind: 'partition', target: ['redis-2'], from: ['redis-3'] }, /^link: expected/],
    [{ ...good, kind: 'full-disk' }, /^target: expected a server of a bed with/],
    [{ ...good, target: ['zookeeper-leader'] }, /^target: expected a server of the bed/],
  ] as const) {
    await expect(playFaults(schedule(good, bad), bed, history)).rejects.toThrow(message);
  }
  expect(history.events).toEqual([]);
  expect(bed.server('redis-1').state).toBe('running');
});

test('rejects when onFault throws, and all is well', async ({ bed }) => {
  const onFault = (): void => {
    throw new Error('mine');
  };
  const history = new History();
  const planned = schedule(
    { at: 1, kind: 'pause', target: ['redis-2'], duration: 10_000 },
    { at: 1, kind: 'kill', target: ['redis-2'], duration: 10_000 },
  );
  // It ends at once: what is planned for a moment would be skipped by a machine that stands still for it.
  await expect(playFaults({ ...planned, length: 10_000 }, bed, history, { onFault })).rejects.toThrow('mine');
  expect(bed.server('redis-2').state).toBe('running');
  expect(history.events.filter(({ type }) => type === 'fault')).toHaveLength(
    history.events.filter(({ type }) => type === 'healed').length,
  );
});

test('a paused server that dies comes back, and one that was brought back before stays', async ({ bed }) => {
  const [paused, killed] = [bed.server('redis-2'), bed.server('redis-3')];
  const running = playFaults(
    schedule(
      { at: 1, kind: 'pause', target: [paused.name], duration: 300 },
      { at: 1, kind: 'kill', target: [killed.name], duration: 300 },
    ),
    bed,
    new History(),
  );
  await eventually('both are broken', () => paused.state === 'paused' && killed.state === 'killed', { every: 1 });
  process.kill(paused.pid ?? 0, 'SIGKILL');
  await killed.start();
  const { pid } = killed;
  await running;
  expect([paused.state, killed.state, killed.pid]).toEqual(['running', 'running', pid]);
});
