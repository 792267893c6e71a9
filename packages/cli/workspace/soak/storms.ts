import type { History } from '@quorate/testbed';
// The storms of npm test, one after the other for as long as one likes.
import { Ground } from '../../../coordination/test/storm/ground.ts';
import { type StormReport, stormLine } from '../../../coordination/test/storm/storm.ts';

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
  /** Storms that were begun again on other servers, see `Ground`. */
  readonly again: number;
  readonly held: number;
  readonly faults: number;
  readonly guardedUpdates: number;
  /** The first that was not valid: with it the run ends. */
  readonly failed?: StormReport & { readonly history: History };
}

const length = 20_000;

/** Storms over processes that hold locks and lead, until the time is up or one is not valid. */
export async function storms({ minutes, seed, workers, signal, say }: StormsOptions): Promise<StormsReport> {
  await using ground = await Ground.open(signal);
  const until = performance.now() + minutes * 60_000;
  const sum = { storms: 0, again: 0, held: 0, faults: 0, guardedUpdates: 0 };
  do {
    const report = await ground.play({ seed: seed + sum.storms, length, workers });
    say(stormLine(report));
    if (ground.spent > sum.again) say('  begun again: a server refused its own log, which is a fault of ZooKeeper');
    const { events, operations } = report.history;
    sum.again = ground.spent;
    sum.storms += 1;
    sum.held += events.filter(({ type }) => type === 'held').length;
    sum.faults += events.filter(({ type }) => type === 'fault').length;
    sum.guardedUpdates += operations.filter(({ op, outcome }) => op === 'add' && outcome === 'ok').length;
    if (report.verdicts.some(({ result }) => result !== 'valid')) return { ...sum, failed: report };
    signal.throwIfAborted();
  } while (performance.now() < until);
  return sum;
}
