import { join } from 'node:path';
import { isQuorateError, retry } from '@quorate/core';
import {
  type BedOf,
  check,
  counter,
  eventually,
  type Fault,
  type FaultKind,
  type FaultSchedule,
  faultSchedule,
  History,
  type PrepareFault,
  playFaults,
  seeded,
  type Testbed,
  type Verdict,
} from '@quorate/testbed';
import { connect, type ZooKeeper } from '@quorate/zookeeper';
import { Election, Lock } from '../../src/index.ts';
import { Crew } from './crew.ts';
import { sleepThrough } from './sleep.ts';

export interface StormOptions {
  readonly seed: number;
  /** Milliseconds. */
  readonly length: number;
  readonly workers: number;
}

export interface StormReport extends StormOptions {
  readonly history: History;
  readonly verdicts: readonly Verdict[];
}

type Ensemble = BedOf<{ zookeeper: 3 }>;

const sessionTimeout = 1_500;

/** How long a process that was stopped may take to notice, once it wakes, on a busy machine. */
const grace = 1_000;

/** Everything well again, a waiter must have its turn within the session timeout and a tick; the rest is a busy machine's. */
const takeover = sessionTimeout + 250 + 10_000;

/** Also where a busy server loses the connection: then it may be there already. */
async function make(zk: ZooKeeper, path: string): Promise<void> {
  const once = async (): Promise<void> => {
    await zk.create(path, '0', { parents: true }).catch((error: unknown) => {
      if (!isQuorateError(error, 'node-exists')) throw error;
    });
  };
  await retry(once, { idempotent: true });
}

/** Breaks the ensemble and its clients by the seed's schedule, then judges what they have done. */
export async function storm(bed: Ensemble, { seed, length, workers }: StormOptions): Promise<StormReport> {
  const history = new History();
  const crew = new Crew(join(bed.folder, 'compiled'));
  const root = `/storm-${seed}-${process.hrtime.bigint()}`;
  const names = Array.from({ length: workers }, (_, index) => `worker-${index + 1}`);
  const setting = await connect(bed.zookeeper.url);
  for (const key of ['locked', 'led']) await make(setting, `${root}/${key}`);
  await setting.close();

  let started = 0;
  const start = async (name: string): Promise<void> => {
    started += 1;
    const members = bed.zookeeper.members.map((member) => bed.link(name, member.name).address);
    const url = `${(await Promise.all(members)).join(',')}${root}`;
    await crew.start({ name, url, seed: `${seed} ${name} ${started}`, sessionTimeout });
  };
  try {
    await Promise.all(names.map(start));
    const schedule = faultSchedule(seed, {
      length,
      faults: faultKinds(names),
      pause: [50, 400],
      duration: [300, 2_500],
      together: 3,
    });
    const stop = new AbortController();
    const sleeping = sleepThrough({
      crew,
      url: `${bed.zookeeper.url}${root}`,
      chance: seeded(seed).fork('sleep'),
      sessionTimeout,
      latest: length / 2,
      within: 2 * (length + takeover),
      signal: stop.signal,
    });
    try {
      await playFaults(schedule, bed, history, { faults: faultsOn(crew, start) });
    } catch (error) {
      stop.abort(error);
      crew.kill();
      await sleeping.catch(() => undefined);
      throw error;
    }
    const slept = await sleeping;
    const taken = await takenOver(`${bed.zookeeper.url}${root}`, history);
    const all = History.merge(history, ...(await crew.finish(10_000)));
    await finalReads(`${bed.zookeeper.url}${root}`, all);
    return { seed, length, workers, history: all, verdicts: [...judge(all), isStorm(all, schedule), slept, taken] };
  } finally {
    crew.kill();
  }
}

function faultKinds(workers: readonly string[]): FaultKind[] {
  const members = ['zookeeper-1', 'zookeeper-2', 'zookeeper-3'];
  const links = workers.flatMap((worker) => members.map((member) => `${worker}~${member}`));
  return [
    { kind: 'kill', targets: workers, weight: 2 },
    // Longer than its session, and shorter.
    { kind: 'pause', targets: workers, weight: 4 },
    { kind: 'silence', targets: workers, weight: 4 },
    { kind: 'kill', targets: members },
    { kind: 'pause', targets: members },
    { kind: 'isolate', targets: members },
    { kind: 'partition', targets: members, split: true },
    { kind: 'reset', targets: links },
    { kind: 'cut', targets: links },
    { kind: 'mute', targets: links },
    { kind: 'deaf', targets: links },
    { kind: 'latency', targets: links },
  ];
}

/** `kill` and `pause` of workers beside those of servers; `silence` is a black hole around a worker. */
function faultsOn(crew: Crew, start: (name: string) => Promise<void>): Record<string, PrepareFault> {
  const onWorker = (name: string, ends: Pick<Fault, 'begin' | 'end'>): Fault => ({
    target: [name],
    servers: [],
    ...ends,
  });
  return {
    kill: async (bed, { target: [name = ''] }) => {
      if (isWorker(name)) {
        return onWorker(name, { begin: () => crew.end(name), end: async () => void start(name) });
      }
      const server = bed.server(name);
      return { target: [name], servers: [server], begin: () => server.kill(), end: () => server.start() };
    },
    pause: async (bed, { target: [name = ''] }) => {
      if (isWorker(name)) {
        return onWorker(name, { begin: () => crew.stop(name), end: async () => crew.wake(name) });
      }
      const server = bed.server(name);
      return { target: [name], servers: [server], begin: () => server.pause(), end: () => server.resume() };
    },
    silence: async (bed, { target: [name = ''] }) => {
      const links = linksOf(bed, name);
      const set = async (faults: { blackHole?: true }): Promise<void> => {
        await Promise.all(links.map((link) => link.set(faults)));
      };
      return { ...onWorker(name, { begin: () => set({ blackHole: true }), end: () => set({}) }), links };
    },
  };
}

function linksOf(bed: Testbed, worker: string): ReturnType<Testbed['link']>[] {
  return bed.servers.map(({ name }) => bed.link(worker, name));
}

/** With everything well, one who comes to the end of the line has the lock in time, and somebody leads. */
async function takenOver(url: string, history: History): Promise<Verdict> {
  const name = 'taken over in time';
  const begin = performance.now();
  const left = (): number => Math.max(0, takeover - (performance.now() - begin));
  const probe = async (): Promise<boolean> => {
    await using zk = await connect(url, { timeout: left(), sessionTimeout: 5_000 });
    const lease = await new Lock(zk, '/lock', { id: 'probe' }).acquire({ timeout: left() });
    history.held('probe', 'lock', lease.token).released();
    await lease.release();
    const term = await new Election(zk, '/leader', { id: 'probe' }).campaign({ timeout: left() });
    history.held('probe', 'leader', term.token).released();
    await term.release();
    return true;
  };
  try {
    // One whose session is lost, on a machine that is busy, may come again.
    await eventually('taken over', probe, { within: takeover });
    return { check: name, result: 'valid', summary: `${Math.round(performance.now() - begin)} ms` };
  } catch (error) {
    return { check: name, result: 'invalid', summary: (error as Error).message };
  }
}

async function finalReads(url: string, history: History): Promise<void> {
  await using zk: ZooKeeper = await connect(url);
  await zk.sync('/');
  for (const key of ['locked', 'led']) {
    await history.run('probe', 'read', { key }, async () => Number((await zk.get(`/${key}`)).data));
  }
}

function judge(history: History): Verdict[] {
  return [
    check.exclusive(history, { grace }),
    check.tokensIncrease(history),
    check.noLostUpdates(history),
    check.linearizable(history, counter()),
  ];
}

/** Whether there was anything to judge: all planned faults, holders of both kinds, and guarded updates of both. */
function isStorm({ events, operations }: History, { faults: planned }: FaultSchedule): Verdict {
  const check = 'it was a storm';
  const played = events.filter((event) => event.type === 'fault' && !event.target[0]?.startsWith('sleeper-')).length;
  const skipped = events.filter((event) => event.type === 'note' && event.label.startsWith('skipped')).length;
  const missing: string[] = [];
  if (played + skipped !== planned.length) missing.push(`${played} faults played of ${planned.length} planned`);
  if (played < 3) missing.push(`${played} faults`);
  const workers = new Set<string>();
  for (const lease of ['lock', 'leader']) {
    const holders = new Set<string>();
    for (const event of events) {
      if (event.type === 'held' && event.lease === lease && isWorker(event.process)) holders.add(event.process);
    }
    if (holders.size < 2) missing.push(`${holders.size} workers held ${lease}`);
    for (const holder of holders) workers.add(holder);
  }
  for (const key of ['locked', 'led']) {
    const adds = operations.filter(
      ({ op, input, outcome, process }) =>
        op === 'add' && outcome === 'ok' && isWorker(process) && (input as { key: string }).key === key,
    );
    if (adds.length < 2) missing.push(`${adds.length} guarded updates of ${key}`);
  }
  const summary = missing.length > 0 ? `only ${missing.join(', ')}` : `${played} faults, ${workers.size} holders`;
  return { check, result: missing.length > 0 ? 'invalid' : 'valid', summary };
}

function isWorker(name: string): boolean {
  return name.startsWith('worker-');
}

/** One line for people. */
export function stormLine({ seed, workers, history, verdicts }: StormReport): string {
  const held = history.events.filter(({ type }) => type === 'held').length;
  const faults = history.events.filter(({ type }) => type === 'fault').length;
  const adds = history.operations.filter(({ op, outcome }) => op === 'add' && outcome === 'ok').length;
  const words = verdicts.map((verdict) => `${verdict.check}: ${verdict.result}`).join(', ');
  return `seed ${seed}: ${workers} workers, ${faults} faults, ${held} times held, ${adds} guarded updates; ${words}`;
}
