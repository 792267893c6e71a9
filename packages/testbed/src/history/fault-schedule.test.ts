import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type FaultScheduleOptions, faultSchedule } from './fault-schedule.ts';
import { History } from './history.ts';

const members = ['zookeeper-1', 'zookeeper-2', 'zookeeper-3'];
const options: FaultScheduleOptions = {
  length: 120_000,
  faults: [
    { kind: 'kill', targets: members },
    { kind: 'pause', targets: [...members, 'client-1'], weight: 2 },
    { kind: 'partition', targets: members, split: true },
  ],
};

test('the same seed gives the same schedule, another seed another', () => {
  expect(faultSchedule(7, options)).toEqual(faultSchedule(7, options));
  expect(faultSchedule(7, options)).not.toEqual(faultSchedule(8, options));
});

test('can be written into the history it makes', () => {
  const history = new History({ clock: () => 0 });
  history.note('schedule', faultSchedule(7, options));
  expect(History.fromJsonLines(history.toJsonLines()).events[0]).toMatchObject({ detail: faultSchedule(7, options) });
});

test('keeps its promises, whatever the seed', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 1, max: 3 }), (seed, together) => {
      const { faults, length } = faultSchedule(seed, { ...options, together });
      expect(faults.length).toBeGreaterThan(5);
      for (const [index, fault] of faults.entries()) {
        expect(fault.at).toBeGreaterThanOrEqual(faults[index - 1]?.at ?? 500);
        expect(fault.duration).toBeGreaterThanOrEqual(500);
        expect(fault.duration).toBeLessThanOrEqual(5000);
        expect(fault.at + fault.duration).toBeLessThanOrEqual(length * 0.8);
        const open = faults.filter(({ at, duration }) => at <= fault.at && at + duration > fault.at);
        expect(open.length).toBeLessThanOrEqual(together);
        const struck = open.filter(({ from }) => from === undefined).flatMap(({ target }) => target);
        expect(new Set(struck).size).toBe(struck.length);
        const splits = open.filter(({ from }) => from !== undefined).map(({ kind }) => kind);
        expect(new Set(splits).size).toBe(splits.length);
        if (fault.kind !== 'partition') {
          expect(fault.target).toHaveLength(1);
          continue;
        }
        expect([...fault.target, ...(fault.from ?? [])].sort()).toEqual(members);
        expect(fault.target.length).toBeGreaterThan(0);
        expect(fault.from?.length).toBeGreaterThan(0);
      }
    }),
    { seed: 5, numRuns: 300 },
  );
});

test('draws on every kind, by weight, and on every target', () => {
  const faults = Array.from({ length: 100 }, (_, seed) => faultSchedule(seed, options).faults).flat();
  const count = (kind: string): number => faults.filter((fault) => fault.kind === kind).length / faults.length;
  expect(count('kill')).toBeCloseTo(0.25, 1);
  expect(count('pause')).toBeCloseTo(0.5, 1);
  expect(count('partition')).toBeCloseTo(0.25, 1);
  expect(new Set(faults.flatMap(({ target }) => target))).toEqual(new Set([...members, 'client-1']));
});

test.each([
  [{ ...options, length: 0 }, 'length: expected'],
  [{ ...options, faults: [] }, 'faults: expected'],
  [{ ...options, faults: [{ kind: 'kill', targets: [] }] }, 'faults[0].targets: expected at least 1'],
  [
    { ...options, faults: [{ kind: 'partition', targets: ['a'], split: true }] },
    'faults[0].targets: expected at least 2',
  ],
  [{ ...options, faults: [{ kind: 'kill', targets: ['a'], weight: 0 }] }, 'faults[0].weight: expected above 0'],
  [{ ...options, pause: [0, 0] as const, duration: [0, 0] as const }, 'pause: expected'],
  [{ ...options, recovery: -1 }, 'recovery: expected'],
  [{ ...options, together: 0 }, 'together: expected'],
])('refuses options that make no schedule: %#', (bad, message) => {
  expect(() => faultSchedule(1, bad)).toThrow(message);
});
