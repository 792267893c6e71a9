import { type BedOf, seeded, Testbed, verdictText } from '@quorate/testbed';
import { afterAll, expect, test } from 'vitest';
import { isRefusedLog } from './storm/refused-log.ts';
import { type StormOptions, type StormReport, storm, stormBed, stormLine } from './storm/storm.ts';

type Ensemble = BedOf<{ zookeeper: 3 }>;

// 12 schedules of 10 seconds, three at a time, other ones each day: `npm run soak -- --storms` plays them for hours.
// QUORATE_STORM_SEED=7 repeats one, 7,9 two of them.
const only = process.env.QUORATE_STORM_SEED?.split(',');
const today = Math.floor(Date.now() / 86_400_000) * 12;
const seeds = only === undefined ? Array.from({ length: 12 }, (_, index) => today + index) : only.map(Number);
console.log(`Storms ${seeds.join(', ')}; to repeat one: QUORATE_STORM_SEED=${seeds[0]}`);

/** Ensembles that are well, each used by one storm after the other. */
const beds: Promise<Ensemble>[] = Array.from({ length: Math.min(3, seeds.length) }, () => Testbed.start(stormBed));
const free: Promise<Ensemble>[] = [...beds];
const waiting: ((bed: Ensemble) => void)[] = [];

afterAll(async () => {
  for (const bed of beds) await (await bed).stop();
});

/** The storm, on another bed where the servers of this one are at the end of theirs. */
async function played(bed: Ensemble, options: StormOptions): Promise<{ report: StormReport; on: Ensemble }> {
  try {
    return { report: await storm(bed, options), on: bed };
  } catch (error) {
    if (!isRefusedLog(error)) throw error;
    await bed.stop();
    const other = Testbed.start(stormBed);
    beds.push(other);
    return { report: await storm(await other, options), on: await other };
  }
}

test.concurrent.each(seeds)(
  'storm %i: one holder at a time, tokens increase, no guarded update is lost, somebody takes over, a sleeper is refused',
  async (seed) => {
    const bed = await (free.shift() ?? new Promise<Ensemble>((resolve) => waiting.push(resolve)));
    // Mostly a few, now and then a crowd.
    const workers = seed % 13 === 0 ? 20 : seeded(seed).integer(4, 6);
    const { report, on } = await played(bed, { seed, length: 10_000, workers });
    const next = waiting.shift();
    if (next) next(on);
    else free.push(Promise.resolve(on));
    for (const verdict of report.verdicts) {
      expect(verdict.result, `${stormLine(report)}\nQUORATE_STORM_SEED=${seed}: ${verdictText(verdict)}`).toBe('valid');
    }
  },
  300_000,
);
