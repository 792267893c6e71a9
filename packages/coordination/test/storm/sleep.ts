import { sleep } from '@quorate/core';
import { eventually, type History, type Operation, type Seeded, type Verdict } from '@quorate/testbed';
import type { Crew } from './crew.ts';
import type { SleeperOptions } from './sleeper.ts';

export interface SleepOptions {
  readonly crew: Crew;
  readonly url: string;
  readonly chance: Seeded;
  readonly sessionTimeout: number;
  /** Milliseconds, at most, until the first one falls asleep. */
  readonly latest: number;
  /** Milliseconds for all of it. */
  readonly within: number;
  readonly signal: AbortSignal;
}

/**
 * A holder is stopped between its guarded read and its write until another has made the same step, and then writes: by
 * construction an update is lost unless the guard refuses it. Faults may prevent that: then another one tries.
 */
export async function sleepThrough(options: SleepOptions): Promise<Verdict> {
  const { chance, latest, within, signal } = options;
  const check = 'a holder that slept changes nothing';
  const limit = AbortSignal.any([signal, AbortSignal.timeout(within)]);
  try {
    await sleep(chance.integer(0, latest), { signal: limit });
    for (let round = 1; ; round += 1) {
      // One that ends before it has said anything ends its wait, too.
      limit.throwIfAborted();
      const write = await oneSleeps(`sleeper-${round}`, options, limit);
      if (write?.outcome === 'ok')
        return { check, result: 'invalid', summary: `the write of ${write.process} was taken` };
      if (write?.error?.startsWith('TransactionError')) {
        return { check, result: 'valid', summary: `${write.process} was refused` };
      }
    }
  } catch (error) {
    signal.throwIfAborted();
    return { check: 'somebody slept through a session', result: 'invalid', summary: (error as Error).message };
  }
}

/** Its write, if another has made the same step before. */
async function oneSleeps(
  name: string,
  { crew, url, chance, sessionTimeout }: SleepOptions,
  signal: AbortSignal,
): Promise<Operation | undefined> {
  const key = chance.pick(['locked', 'led'] as const);
  const options: SleeperOptions = { name, url, key, sessionTimeout };
  await crew.start(options, 'sleeper.ts');
  const told = (): History => crew.historyOf(name);
  const saidOrEnded = (): boolean => sumIn(told()) !== undefined || crew.hasEnded(name);
  await eventually(`${name} is about to write`, saidOrEnded, { signal, every: 100 });
  const sum = sumIn(told());
  if (sum === undefined) return undefined;
  await crew.stopped(name);
  const addsBeyond = (): Operation[] =>
    crew
      .histories()
      .flatMap(({ operations }) => operations)
      .filter(({ op, input, outcome, output, process }) => {
        const isOther = op === 'add' && process !== name && (input as { key: string }).key === key;
        return isOther && outcome === 'ok' && Number(output) >= sum;
      });
  await eventually('another has added', () => addsBeyond().length > 0, { signal, every: 100 });
  const isSameStep = addsBeyond().some(({ output }) => output === sum);
  crew.wake(name);
  await eventually(`${name} has ended`, () => crew.hasEnded(name), { signal });
  return isSameStep ? told().operations.find(({ op }) => op === 'add') : undefined;
}

function sumIn({ events }: History): number | undefined {
  const note = events.find((event) => event.type === 'note' && event.label === 'about to write');
  return note?.type === 'note' ? (note.detail as { sum: number }).sum : undefined;
}
