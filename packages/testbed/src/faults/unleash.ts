import { InvalidArgumentError, sleep } from '@quorate/core';
import type { History } from '../history/history.ts';
import type { NemesisSchedule, PlannedFault } from '../history/nemesis.ts';
import type { Link } from '../links/link.ts';
import type { Server } from '../processes/server.ts';
import type { Testbed } from '../testbed.ts';
import { type Blow, type Strike, strikes } from './strikes.ts';

export interface UnleashOptions {
  /** Ends the run early. What is broken is healed all the same. */
  readonly signal?: AbortSignal;
  /** Kinds of faults beside ours, by name. */
  readonly strikes?: Readonly<Record<string, Strike>>;
  /** Told as each fault begins and ends. */
  readonly onFault?: (fault: PlannedFault, state: 'begins' | 'ends') => void;
}

/**
 * Does to a bed what a schedule says, and writes it into the history: the schedule first, then each fault as it begins
 * and ends, with the server it struck. A fault waits while another has hold of its server or link, by whatever name it
 * was planned, and is skipped when that lasts too long. Resolves when the schedule's length is over and everything is well again: links healed, pauses ended, killed
 * servers back. It is so too when it rejects.
 *
 *     const schedule = nemesis(7, { length: 60_000, faults: [{ kind: 'kill', targets: ['zookeeper-leader'] }] });
 *     await unleash(schedule, bed, history);
 */
export async function unleash(
  schedule: NemesisSchedule,
  bed: Testbed,
  history: History,
  { signal, strikes: others = {}, onFault }: UnleashOptions = {},
): Promise<void> {
  const known = { ...strikes, ...others };
  for (const fault of schedule.faults) {
    const strike = known[fault.kind];
    if (!strike)
      throw new InvalidArgumentError('schedule', `faults out of ${Object.keys(known).join(', ')}`, fault.kind);
    // Prepared, not begun: a target that is not there is refused before anything breaks.
    await strike(bed, fault);
  }
  history.note('schedule', { seed: schedule.seed, length: schedule.length, faults: schedule.faults });
  const stop = new AbortController();
  const ended = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  const begin = performance.now();
  const until = (at: number): Promise<void> => sleep(Math.max(0, begin + at - performance.now()), { signal: ended });
  /** What is broken now, and when it will be well again: ending one fault of it would end part of another. */
  const broken = new Map<Server | Link, Promise<void>>();
  const failures: unknown[] = [];

  /** Takes hold of whom the fault is to strike, once nothing else has: what to do, and how to let go. Nothing when that is too late. */
  const take = async (fault: PlannedFault): Promise<{ blow: Blow; letGo(): void } | undefined> => {
    const end = fault.at + fault.duration;
    for (;;) {
      // Anew each time: while we waited, another may have become the leader.
      const blow = await (known[fault.kind] as Strike)(bed, fault);
      const struck = struckBy(blow);
      const others = struck.flatMap((target) => broken.get(target) ?? []);
      if (performance.now() - begin >= end) {
        history.note('skipped: its target was not free in time', { ...fault, struck: blow.target });
        return undefined;
      }
      if (others.length === 0) {
        const well = Promise.withResolvers<void>();
        for (const target of struck) broken.set(target, well.promise);
        const letGo = (): void => {
          for (const target of struck) broken.delete(target);
          well.resolve();
        };
        return { blow, letGo };
      }
      await Promise.race([Promise.all(others), until(end)]);
    }
  };

  const suffer = async (fault: PlannedFault): Promise<void> => {
    await until(fault.at);
    const taken = await take(fault);
    if (taken === undefined) return;
    const { blow, letGo } = taken;
    const record = history.fault(fault.kind, blow.target, blow.detail);
    onFault?.(fault, 'begins');
    try {
      await blow.begin();
      await until(fault.at + fault.duration);
    } finally {
      // A killed server that comes back in a minority waits for others to be healed: nobody waits for it here.
      finish(blow, record, () => onFault?.(fault, 'ends'))
        .catch((error) => failures.push(error))
        .finally(letGo);
    }
  };

  const runs = schedule.faults.map(async (fault) => {
    try {
      await suffer(fault);
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

/** What no two faults may strike at once, under whatever names. */
function struckBy({ servers, links = [] }: Blow): (Server | Link)[] {
  return [...servers, ...links];
}

async function finish(blow: Blow, record: { end(): void }, told: () => void): Promise<void> {
  try {
    await blow.end();
  } finally {
    record.end();
    told();
  }
}
