import { InvalidArgumentError, sleep } from '@quorate/core';
import type { History } from '../history/history.ts';
import type { NemesisSchedule, PlannedFault } from '../history/nemesis.ts';
import type { Server } from '../processes/server.ts';
import type { Testbed } from '../testbed.ts';
import { type Blow, type Strike, strikes } from './strikes.ts';

export interface UnleashOptions {
  /** Ends the run early. What is broken is healed all the same. */
  readonly signal?: AbortSignal;
  /** Kinds of faults beside ours, by name. */
  readonly faults?: Readonly<Record<string, Strike>>;
  /** Told as each fault begins and ends. */
  readonly onFault?: (fault: PlannedFault, state: 'begins' | 'ends') => void;
}

/**
 * Does to a bed what a schedule says, and writes it into the history: the schedule first, then each fault as it begins
 * and ends. Resolves when the schedule's length is over and everything is well again: links healed, pauses ended, killed
 * servers back. It is so too when it rejects.
 *
 *     const schedule = faultSchedule(7, { length: 60_000, faults: [{ kind: 'kill', targets: ['zookeeper-leader'] }] });
 *     await playFaults(schedule, bed, history);
 */
export async function unleash(
  schedule: NemesisSchedule,
  bed: Testbed,
  history: History,
  { signal, faults: others = {}, onFault }: UnleashOptions = {},
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
  const coming = new Map<Server, Promise<void>>();
  const failures: unknown[] = [];

  const suffer = async (fault: PlannedFault): Promise<void> => {
    await until(fault.at);
    const blow = await (known[fault.kind] as Strike)(bed, fault);
    await Promise.all(blow.servers.map((server) => coming.get(server)));
    if (performance.now() - begin >= fault.at + fault.duration) {
      history.note('skipped: its server was not back in time', fault);
      return;
    }
    const record = history.fault(fault.kind, blow.target, blow.detail);
    onFault?.(fault, 'begins');
    try {
      await blow.begin();
      await until(fault.at + fault.duration);
    } finally {
      const over = finish(blow, record, () => onFault?.(fault, 'ends'));
      for (const server of blow.servers) coming.set(server, over);
      // A killed server that comes back in a minority waits for others to be healed: nobody waits for it here.
      over.catch((error) => failures.push(error));
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
  await Promise.allSettled(coming.values());
  signal?.throwIfAborted();
  if (failures.length > 0) throw failures[0];
}

async function finish(blow: Blow, record: { end(): void }, told: () => void): Promise<void> {
  try {
    await blow.end();
  } finally {
    record.end();
    told();
  }
}
