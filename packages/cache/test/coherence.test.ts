import { sharedTest as test } from '@quorate/testbed/vitest';
import { expect } from 'vitest';
import { clientOf } from './fixture.ts';
import { playSchedules } from './model/play.ts';
import type { Proved } from './model/scene.ts';

const only = process.env.QUORATE_SEED;
// QUORATE_SEED repeats one schedule, or with QUORATE_SCHEDULES that many from there.
const seed = Number(only ?? Math.trunc(Math.random() * 2 ** 31));
const count = Number(process.env.QUORATE_SCHEDULES ?? (only === undefined ? 2_000 : 1));

test(`three processes, each with two connections, keep the promise in ${count} schedules from QUORATE_SEED=${seed}`, async ({
  servers,
}) => {
  const redis = clientOf(servers.QUORATE_REDIS ?? '');
  const { proved, broken } = await playSchedules({ redis, seed, more: (begun) => begun < count });
  expect(broken && `QUORATE_SEED=${broken.seed}\n${broken.story}`).toBeUndefined();
  // Chance must have made what this is about; a single schedule shows what it shows.
  if (count === 1) return;
  const least: Record<keyof Proved, number> = {
    checked: 5,
    remembered: 1,
    stale: 0.5,
    left: 0.05,
    many: 0.25,
    led: 0.1,
    fenced: 0.02,
    unmet: 0.05,
    late: 0.02,
  };
  for (const [what, each] of Object.entries(least) as [keyof Proved, number][]) {
    expect(proved[what], what).toBeGreaterThan(each * count);
  }
});
