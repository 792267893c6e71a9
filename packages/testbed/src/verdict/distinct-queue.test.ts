import { describe, expect, test } from 'vitest';
import { simulatedRun } from '../../test/verdict-simulated-run.ts';
import { story } from '../../test/verdict-story.ts';
import { seeded } from '../history/seeded.ts';
import { Budget } from './budget.ts';
import { check } from './check.ts';
import { queue } from './queue.ts';
import type { QueueCall } from './queue-call.ts';
import { Search } from './search.ts';
import type { TimedCall } from './timeline.ts';

/** What four clients did to one queue, many replies lost, and in every second run two replies changed over. */
function run(seed: number): TimedCall<QueueCall>[] {
  const history = simulatedRun({ seed, object: 'queue', operations: 12, keys: 1, clients: 4, lost: 0.5 });
  const calls = history.operations.map((operation): TimedCall<QueueCall> => {
    const { invoked, completed } = operation;
    return { call: queue().call(operation), invoked, completed };
  });
  const chance = seeded(seed);
  if (chance.next() < 0.5) return calls;
  const takes = calls.flatMap(({ call, completed }, place) =>
    call.op === 'dequeue' && completed !== Infinity ? [place] : [],
  );
  if (takes.length < 2) return calls;
  const [one, other] = [chance.pick(takes), chance.pick(takes)];
  return calls
    .with(one, { ...(calls[one] as TimedCall<QueueCall>), call: calls[other]?.call as QueueCall })
    .with(other, { ...(calls[other] as TimedCall<QueueCall>), call: calls[one]?.call as QueueCall });
}

const seed = Number(process.env.QUORATE_SEED ?? 5);

describe.each(['fifo', 'bag'] as const)(`a %s of values that come once, seed ${seed}`, (order) => {
  test('is decided as a search decides it, and mostly is decided', () => {
    const model = queue({ order });
    const count = { valid: 0, invalid: 0, undecided: 0 };
    for (let round = 0; round < 3_000; round += 1) {
      const calls = run(seed * 10_000 + round);
      const chance = seeded(round);
      // The order in the list means nothing.
      const shuffled = calls.map((call) => ({ call, place: chance.next() })).sort((a, b) => a.place - b.place);
      const decided = model.decide?.(shuffled.map(({ call }) => call));
      if (decided === undefined) {
        count.undecided += 1;
        continue;
      }
      const result = decided ? 'valid' : 'invalid';
      count[result] += 1;
      const found = new Search(model, calls, new Budget({ milliseconds: 100, bytes: 2 ** 29 }), {
        ahead: true,
      }).run();
      if (found.result !== 'unknown') expect(found.result, `round ${round}`).toBe(result);
    }
    expect(count.valid).toBeGreaterThan(200);
    expect(count.invalid).toBeGreaterThan(200);
    expect(count.undecided).toBeLessThan(2_000);
  });
});

test.each([0, 0.02])('fifty clients on one queue, a share of %d of the replies lost, are judged at once', (lost) => {
  for (let round = 0; round < 5; round += 1) {
    const history = simulatedRun({
      seed: seed + round,
      object: 'queue',
      operations: 5_000,
      keys: 1,
      clients: 50,
      lost,
    });
    expect(check.linearizable(history, queue()).result, `seed ${seed + round}`).toBe('valid');
  }
});

test('whoever takes may have taken what must be gone first, and no sooner than it asked', () => {
  const tell = (lostAt: number): string =>
    check.linearizable(
      story(({ ok, lost }) => {
        ok('a', 0, 1, 'enqueue', { value: 'early' });
        ok('a', 2, 3, 'enqueue', { value: 'late' });
        lost('b', 4, 5, 'dequeue', {});
        lost('c', lostAt, lostAt + 1, 'dequeue', {});
        ok('a', 10, 11, 'enqueue', { value: 'x' });
        ok('d', 20, 21, 'dequeue', {}, 'x');
      }),
      queue(),
    ).result;
  expect(tell(6)).toBe('valid');
  expect(tell(22)).toBe('invalid');
});

test('a long stay hides a short one: the queue was not empty after it', () => {
  const tell = (from: number, to: number): string =>
    check.linearizable(
      story(({ ok }) => {
        ok('a', 0, 1, 'enqueue', { value: 'long' });
        ok('a', 2, 3, 'enqueue', { value: 'short' });
        ok('b', 4, 5, 'dequeue', {}, 'short');
        ok('c', from, to, 'dequeue', {}, null);
        ok('b', 20, 21, 'dequeue', {}, 'long');
      }),
      queue({ order: 'bag' }),
    ).result;
  expect(tell(10, 11)).toBe('invalid');
  expect(tell(10, 20.5)).toBe('valid');
});
