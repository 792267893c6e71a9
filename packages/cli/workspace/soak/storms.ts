import { type History, Testbed } from '@quorate/testbed';
// The storms of npm test, one after the other for as long as one likes.
import { isRefusedLog } from '../../../coordination/test/storm/refused-log.ts';
import { type StormReport, storm, stormBed, stormLine } from '../../../coordination/test/storm/storm.ts';

export interface StormsOptions {
  readonly minutes: number;
  /** Of the first storm; each one after it has the next. */
  readonly seed: number;
  readonly workers: number;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

export interface StormsReport {
  readonly storms: number;
  /** Those whose servers could not go on. */
  readonly givenUp: number;
  readonly held: number;
  readonly faults: number;
  readonly guardedUpdates: number;
  /** The first that was not valid: with it the run ends. */
  readonly failed?: StormReport & { readonly history: History };
}

const length = 20_000;

/** Storms over processes that hold locks and lead, until the time is up or one is not valid. */
export async function storms({ minutes, seed, workers, signal, say }: StormsOptions): Promise<StormsReport> {
  let bed = await Testbed.start(stormBed, { signal });
  const until = performance.now() + minutes * 60_000;
  const sum = { storms: 0, givenUp: 0, held: 0, faults: 0, guardedUpdates: 0 };
  try {
    do {
      const next = seed + sum.storms + sum.givenUp;
      let report: StormReport;
      try {
        report = await storm(bed, { seed: next, length, workers });
      } catch (error) {
        if (!isRefusedLog(error)) throw error;
        sum.givenUp += 1;
        say(`seed ${next}: given up: a server does not start on its own log, which is a fault of ZooKeeper's`);
        await bed.stop();
        bed = await Testbed.start(stormBed, { signal });
        continue;
      }
      say(stormLine(report));
      const { events, operations } = report.history;
      sum.storms += 1;
      sum.held += events.filter(({ type }) => type === 'held').length;
      sum.faults += events.filter(({ type }) => type === 'fault').length;
      sum.guardedUpdates += operations.filter(({ op, outcome }) => op === 'add' && outcome === 'ok').length;
      if (report.verdicts.some(({ result }) => result !== 'valid')) return { ...sum, failed: report };
      signal.throwIfAborted();
    } while (performance.now() < until);
    return sum;
  } finally {
    await bed.stop();
  }
}
