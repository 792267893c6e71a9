import { Testbed } from '@quorate/testbed';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Make, ourElection, ourLock } from './promises/contender.ts';
import { type Flaw, mutant } from './promises/mutant.ts';
import {
  type Bed,
  believesOnlyItself,
  createsOnce,
  fencesThePast,
  noHerd,
  type Promised,
  stopsInTime,
} from './promises/promises.ts';

// What this suite is worth: for each promise there is an implementation that breaks it, and the same run must tell.
const promises: readonly (readonly [string, Promised, Flaw])[] = [
  ['a holder whose network falls silent stops before the next one begins', stopsInTime, 'trusts its own clock'],
  ['a holder of the past changes nothing', fencesThePast, 'no fencing'],
  ['what a handover costs does not grow with those who wait', noHerd, 'watches everyone'],
  ["a previous session's node is not one's own", believesOnlyItself, 'believes a stale node'],
  ['a create whose reply is lost makes one node', createsOnce, 'retries an ambiguous create'],
];

const kinds: readonly (readonly [string, Make, string])[] = [
  ['lock', ourLock, 'lock-'],
  ['election', ourElection, 'latch-'],
];

let bed: Bed;

beforeAll(async () => {
  bed = (await Testbed.start({ zookeeper: { members: 1, config: { tickTime: 100 } } })) as Bed;
});
afterAll(() => bed?.stop());

/** The same for each of these: ours keeps it, and the mutant is caught. */
function keptAndCaught(some: typeof promises, ours: Make, mark: string): void {
  test.each(some)('keeps its promise: %s', async (_, promised) => {
    expect(await promised(bed, ours)).toMatchObject({ result: 'valid' });
  });

  test.each(some.map(([promise, promised, flaw]) => [flaw, promise, promised] as const))(
    'one that is made with the flaw "%s" is caught: %s',
    async (flaw, _, promised) => {
      expect(await promised(bed, mutant(flaw, mark))).toMatchObject({ result: 'invalid' });
    },
  );
}

/** These wait until a session is over, and count nothing meanwhile. */
const waits = ([, promised]: (typeof promises)[number]): boolean => [stopsInTime, fencesThePast].includes(promised);

describe.concurrent.each(kinds)('the %s, over the end of a session', (_, ours, mark) => {
  keptAndCaught(promises.filter(waits), ours, mark);
});

describe.each(kinds)('the %s', (_, ours, mark) => {
  keptAndCaught(
    promises.filter((promise) => !waits(promise)),
    ours,
    mark,
  );

  // A mutant that fails everywhere would prove nothing about the promise that it is to break.
  test.each(promises.map(([, , flaw]) => flaw))('one with the flaw "%s" is otherwise in order', async (flaw) => {
    for (const [promise, promised, breaks] of promises) {
      if (breaks === flaw || ![noHerd, believesOnlyItself].includes(promised)) continue;
      expect(await promised(bed, mutant(flaw, mark)), promise).toMatchObject({ result: 'valid' });
    }
  });
});
