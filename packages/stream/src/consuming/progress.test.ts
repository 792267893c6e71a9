import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Progress, type Step } from './progress.ts';

function begun(progress: Progress, offset: bigint): Step {
  const step = { next: offset + 1n, done: false, outputs: [] };
  progress.begin(step);
  return step;
}

test('the position never passes a message that is not done with', () => {
  const progress = new Progress(100n);
  const steps = [100n, 101n, 105n].map((offset) => begun(progress, offset));
  progress.skipTo(110n);
  progress.finish(steps[1] as never);
  expect(progress.position).toBe(100n);
  progress.finish(steps[0] as never);
  expect(progress.position).toBe(102n);
  progress.finish(steps[2] as never);
  expect(progress.position).toBe(110n);
  expect(progress.open).toBe(0);
});

test('finished in whatever order, with gaps: the position is where the first unfinished message stands, or the end', () => {
  const arrival = fc.record({ gap: fc.integer({ min: 0, max: 3 }), tail: fc.integer({ min: 0, max: 3 }) });
  fc.assert(
    fc.property(fc.array(arrival, { maxLength: 1_500 }), fc.infiniteStream(fc.nat()), (arrivals, chance) => {
      const progress = new Progress(5n);
      const open = new Map<bigint, Step>();
      let at = 5n;
      let reached = 5n;
      for (const { gap, tail } of arrivals) {
        const offset = at + BigInt(gap);
        open.set(offset, begun(progress, offset));
        at = offset + 1n + BigInt(tail);
        if (tail > 0) progress.skipTo(at);
        reached = at;
        // About as many are finished as arrive.
        for (let count = (chance.next().value as number) % 3; count > 0 && open.size > 0; count -= 1) {
          const offsets = [...open.keys()];
          const chosen = offsets[(chance.next().value as number) % offsets.length] as bigint;
          progress.finish(open.get(chosen) as Step);
          open.delete(chosen);
        }
        const first = [...open.keys()].reduce<bigint | undefined>(
          (least, one) => (least === undefined || one < least ? one : least),
          undefined,
        );
        if (first === undefined) expect(progress.position).toBe(reached);
        else expect(progress.position).toBeLessThanOrEqual(first);
      }
    }),
    { numRuns: 60 },
  );
});
