import { seeded, verdictText } from '@quorate/testbed';
import { afterAll, expect, test } from 'vitest';
import { Ground } from './storm/ground.ts';
import { stormLine } from './storm/storm.ts';

// 12 schedules of 10 seconds, three at a time, other ones each day: `npm run soak -- --storms` plays them for hours.
// QUORATE_STORM_SEED=7 repeats one, 7,9 two of them.
const only = process.env.QUORATE_STORM_SEED?.split(',');
const today = Math.floor(Date.now() / 86_400_000) * 12;
const seeds = only === undefined ? Array.from({ length: 12 }, (_, index) => today + index) : only.map(Number);
console.log(`Storms ${seeds.join(', ')}; to repeat one: QUORATE_STORM_SEED=${seeds[0]}`);

/** Each is used by one storm after the other. */
const grounds: Promise<Ground>[] = Array.from({ length: Math.min(3, seeds.length) }, () => Ground.open());
const free: Promise<Ground>[] = [...grounds];
const waiting: ((ground: Ground) => void)[] = [];

afterAll(async () => {
  for (const ground of grounds) await (await ground)[Symbol.asyncDispose]();
});

test.concurrent.each(seeds)(
  'storm %i: one holder at a time, tokens increase, no guarded update is lost, somebody takes over, a sleeper is refused',
  async (seed) => {
    const ground = await (free.shift() ?? new Promise<Ground>((resolve) => waiting.push(resolve)));
    // Mostly a few, now and then a crowd.
    const workers = seed % 13 === 0 ? 20 : seeded(seed).integer(4, 6);
    const report = await ground.play({ seed, length: 10_000, workers });
    const next = waiting.shift();
    if (next) next(ground);
    else free.push(Promise.resolve(ground));
    for (const verdict of report.verdicts) {
      expect(verdict.result, `${stormLine(report)}\nQUORATE_STORM_SEED=${seed}: ${verdictText(verdict)}`).toBe('valid');
    }
  },
  300_000,
);
