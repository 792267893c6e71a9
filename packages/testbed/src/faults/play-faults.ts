import { InvalidArgumentError, sleep } from '@quorate/core';
import type { FaultSchedule, PlannedFault } from '../history/fault-schedule.ts';
import type { History } from '../history/history.ts';
import type { Link } from '../links/link.ts';
import type { Server } from '../processes/server.ts';
import type { Testbed } from '../testbed.ts';
import { FaultRecord } from './fault-record.ts';
import { type Fault, faults, type PrepareFault } from './faults.ts';

export interface PlayFaultsOptions {
  /** Ends the run early. What is broken is healed all the same. */
  readonly signal?: AbortSignal;
  /** Kinds of faults beside ours, by name. */
  readonly faults?: Readonly<Record<string, PrepareFault>>;
  /** Told as each fault begins and ends. */
  readonly onFault?: (planned: PlannedFault, state: 'begins' | 'ends') => void;
}

/**
 * Breaks a bed by a schedule, and writes it into the history: the schedule first, then each fault once it has begun, and
 * when it ends, with the server it broke. A fault waits while another has hold of its server or link, under whatever name it was
 * planned, and is skipped when that lasts too long. Resolves when the schedule's length is over and everything is well
 * again: links healed, pauses ended, killed servers back. It is so too when it rejects.
 *
 *     const schedule = faultSchedule(7, { length: 60_000, faults: [{ kind: 'kill', targets: ['zookeeper-leader'] }] });
 *     await playFaults(schedule, bed, history);
 */
export async function playFaults(
  schedule: FaultSchedule,
  bed: Testbed,
  history: History,
  { signal, faults: others = {}, onFault }: PlayFaultsOptions = {},
): Promise<void> {
  const known = { ...faults, ...others };
  for (const planned of schedule.faults) {
    const prepare = known[planned.kind];
    if (!prepare)
      throw new InvalidArgumentError('schedule', `one of the faults ${Object.keys(known).join(', ')}`, planned.kind);
    // Prepared, not begun: a target that is not there is refused before anything breaks.
    await prepare(bed, planned);
  }
  history.note('schedule', { seed: schedule.seed, length: schedule.length, faults: schedule.faults });
  const stop = new AbortController();
  const ended = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  const begin = performance.now();
  const until = (at: number): Promise<void> => sleep(Math.max(0, begin + at - performance.now()), { signal: ended });
  /** What is broken now, and when it will be well again: ending one fault of it would end part of another. */
  const broken = new Map<Server | Link, Promise<void>>();
  const failures: unknown[] = [];

  /** Takes hold of the targets, once no other fault has: what to do, and how to let go. Nothing when that is too late. */
  const take = async (planned: PlannedFault): Promise<{ fault: Fault; letGo(): void } | undefined> => {
    const end = planned.at + planned.duration;
    for (;;) {
      // Anew each time: while we waited, another may have become the leader.
      const fault = await (known[planned.kind] as PrepareFault)(bed, planned);
      const targets = targetsOf(fault);
      const others = targets.flatMap((target) => broken.get(target) ?? []);
      if (performance.now() - begin >= end) {
        history.note('skipped: its target was not free in time', { ...planned, struck: fault.target });
        return undefined;
      }
      if (others.length === 0) {
        const well = Promise.withResolvers<void>();
        for (const target of targets) broken.set(target, well.promise);
        const letGo = (): void => {
          for (const target of targets) broken.delete(target);
          well.resolve();
        };
        return { fault, letGo };
      }
      await Promise.race([Promise.all(others), until(end)]);
    }
  };

  const play = async (planned: PlannedFault): Promise<void> => {
    await until(planned.at);
    const taken = await take(planned);
    if (taken === undefined) return;
    const { fault, letGo } = taken;
    const record = new FaultRecord(history, planned.kind, fault);
    try {
      onFault?.(planned, 'begins');
    } catch (error) {
      // Nothing is broken yet, and others may wait for its targets.
      letGo();
      throw error;
    }
    try {
      await fault.begin();
      record.begin();
      await until(planned.at + planned.duration);
    } finally {
      // A killed server that comes back in a minority waits for others to be healed: nobody waits for it here.
      finish(fault, record, () => onFault?.(planned, 'ends'))
        .catch((error) => failures.push(error))
        .finally(letGo);
    }
  };

  const runs = schedule.faults.map(async (planned) => {
    try {
      await play(planned);
    } catch (error) {
      failures.push(error);
      stop.abort(error);
    }
  });
  await Promise.all([...runs, until(schedule.length).catch(() => {})]);
  await bed.heal();
  await Promise.all(broken.values());
  signal?.throwIfAborted();
  if (failures.length > 0) throw failures[0];
}

/** What no two faults may break at once, under whatever names. */
function targetsOf({ servers, links = [] }: Fault): (Server | Link)[] {
  return [...servers, ...links];
}

async function finish(fault: Fault, record: FaultRecord, told: () => void): Promise<void> {
  try {
    record.ending();
    await fault.end();
  } finally {
    record.ended();
    told();
  }
}
