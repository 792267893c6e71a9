import { sleep } from '@quorate/core';
import {
  casRegister,
  check,
  counter,
  type FaultKind,
  faultSchedule,
  History,
  type HistoryCounts,
  type OnProgress,
  type PlannedFault,
  playFaults,
  seeded,
  Testbed,
  type Verdict,
} from '@quorate/testbed';
import { Workload } from './workload.ts';

export interface SoakOptions {
  readonly minutes: number;
  readonly seed: number;
  readonly clients: number;
  /** Clients that lose updates: to see that it is noticed. */
  readonly careless?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
  readonly onFault?: (fault: PlannedFault, state: 'begins' | 'ends') => void;
}

export interface SoakReport {
  readonly seed: number;
  readonly minutes: number;
  readonly counts: HistoryCounts;
  readonly sessions: number;
  readonly verdicts: readonly Verdict[];
}

const members = ['zookeeper-1', 'zookeeper-2', 'zookeeper-3'];

/** How long each key is worked on, in milliseconds. */
const turnLength = 4_000;

/** Breaks a three-member ensemble by the seed's schedule while clients work on it, then judges what they were told. */
export async function soak(options: SoakOptions): Promise<{ readonly history: History; readonly report: SoakReport }> {
  const { minutes, seed, clients, careless = false, signal, onFault, onProgress } = options;
  const history = new History();
  const length = Math.round(minutes * 60_000);
  // Several faults also in a short run.
  const longest = Math.min(4_000, Math.max(1_000, Math.round(length / 10)));
  const names = Array.from({ length: clients }, (_, index) => `client-${index + 1}`);
  const schedule = faultSchedule(seed, {
    length,
    faults: faultKinds(names),
    pause: [200, 1_200],
    duration: [500, longest],
  });

  // Short limits: an ensemble that takes long to notice would spend the schedule waiting.
  await using bed = await Testbed.start(
    { zookeeper: { members: 3, config: { tickTime: 250, syncLimit: 6, maxSessionTimeout: 20_000 } } },
    { ...(signal && { signal }), ...(onProgress && { onProgress }) },
  );
  const begin = performance.now();
  const turn = (): number => Math.floor((performance.now() - begin) / turnLength);
  let last = 0;
  const unique = (): number => {
    last += 1;
    return last;
  };
  const workloads: Workload[] = [];
  try {
    for (const name of names) {
      const addresses = await Promise.all(members.map((member) => bed.link(name, member).address));
      const chance = seeded(seed).fork(name);
      workloads.push(new Workload({ name, url: addresses.join(','), history, chance, careless, turn, unique }));
    }
    const over = new AbortController();
    const working = Promise.all(
      workloads.map((workload) => work(workload, seeded(seed).fork(`${workload.name} pauses`), over.signal)),
    );
    try {
      await playFaults(schedule, bed, history, { ...(signal && { signal }), ...(onFault && { onFault }) });
    } finally {
      over.abort();
      await working;
    }
    const recovery = await recover(workloads, turn());
    return {
      history,
      report: {
        seed,
        minutes,
        counts: history.counts,
        sessions: sum(workloads),
        verdicts: [...judged(history), recovery],
      },
    };
  } finally {
    for (const workload of workloads) workload[Symbol.dispose]();
  }
}

function faultKinds(clients: readonly string[]): FaultKind[] {
  const links = clients.flatMap((client) => members.map((member) => `${client}~${member}`));
  const between = ['zookeeper-1~zookeeper-2', 'zookeeper-1~zookeeper-3', 'zookeeper-2~zookeeper-3'];
  const servers = [...members, 'zookeeper-leader', 'zookeeper-leader'];
  return [
    { kind: 'kill', targets: servers, weight: 2 },
    { kind: 'pause', targets: servers, weight: 2 },
    { kind: 'isolate', targets: servers, weight: 2 },
    { kind: 'partition', targets: members, split: true, weight: 2 },
    { kind: 'slow', targets: servers },
    { kind: 'latency', targets: [...links, ...between] },
    { kind: 'narrow', targets: links },
    { kind: 'black-hole', targets: [...links, ...between] },
    { kind: 'deaf', targets: links },
    { kind: 'mute', targets: [...links, ...between] },
    { kind: 'half-open', targets: links },
    { kind: 'cut', targets: links },
    { kind: 'reset', targets: [...links, ...between] },
  ];
}

async function work(
  workload: Workload,
  chance: { integer(min: number, max: number): number },
  over: AbortSignal,
): Promise<void> {
  while (!over.aborted) {
    const through = await workload.step();
    // One that does not get through tries again, but not as fast as it can.
    await sleep(through ? chance.integer(1, 8) : 50, { signal: over }).catch(() => {});
  }
}

/** When everything is well every client must get through again, and what was acknowledged must be there. */
async function recover(workloads: readonly Workload[], turns: number): Promise<Verdict> {
  const name = 'every client gets through again';
  try {
    await Promise.all(workloads.map((workload) => workload.recovered('counter-last', 30_000)));
    for (let turn = 0; turn <= turns; turn += 1) await workloads[0]?.read(`counter-${turn}`).catch(() => {});
    return { check: name, result: 'valid', summary: `${workloads.length} clients` };
  } catch (error) {
    return { check: name, result: 'invalid', summary: (error as Error).message };
  }
}

function judged(history: History): Verdict[] {
  return [
    check.linearizable(history, counter()),
    check.linearizable(history, casRegister({ initial: 0 }), { only: ({ op }) => op === 'cas' }),
    check.noLostUpdates(history),
    check.sessionOrder(history),
  ];
}

function sum(workloads: readonly Workload[]): number {
  return workloads.reduce((total, { sessions }) => total + sessions, 0);
}
