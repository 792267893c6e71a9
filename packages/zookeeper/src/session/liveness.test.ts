import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Liveness } from './liveness.ts';

test('is suspended two thirds after the last answer came, and lost a whole timeout after its request was sent', () => {
  const liveness = new Liveness();
  liveness.established(900, 1_000, true);
  expect([liveness.pingAt, liveness.suspendAt, liveness.lostAt]).toEqual([1_300, 1_600, 1_900]);
  liveness.sent(1_200);
  expect([liveness.pingAt, liveness.suspendAt, liveness.lostAt]).toEqual([1_500, 1_600, 1_900]);
  liveness.answered(1_200, 1_250);
  expect([liveness.pingAt, liveness.suspendAt, liveness.lostAt]).toEqual([1_500, 1_850, 2_100]);
  expect(liveness.why).toContain('no answer');
});

test('being busy does not make a silent server look alive', () => {
  const liveness = new Liveness();
  liveness.established(900, 0, true);
  for (let now = 0; now < 900; now += 10) liveness.sent(now);
  expect(liveness.suspendAt).toBe(600);
  expect(liveness.lostAt).toBe(900);
});

test('where all that is answered is old, it is suspended while there is time for another connection', () => {
  const liveness = new Liveness();
  liveness.established(800, 0, true);
  for (let at = 100; at < 600; at += 100) liveness.answered(0, at);
  expect([liveness.suspendAt, liveness.lostAt]).toEqual([600, 800]);
  expect(liveness.why).toContain('too much is asked');
});

test('a member cut off from its ensemble does not keep our session alive', () => {
  const liveness = new Liveness();
  liveness.established(900, 0, true);
  liveness.established(900, 500, false);
  liveness.answered(700, 800);
  expect(liveness.suspendAt).toBe(1_400);
  expect(liveness.lostAt).toBe(900);
});

test('whatever is sent and answered, we never believe in a session that the server could have ended', () => {
  const step = fc.record({ wait: fc.nat(400), delay: fc.nat(300), answered: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const liveness = new Liveness();
      let now = 0;
      let serverHeard = 5;
      liveness.established(900, now, true);
      for (const { wait, delay, answered } of steps) {
        now += wait;
        liveness.sent(now);
        // The server counts from when a request reaches it, answered or not.
        serverHeard = Math.max(serverHeard, now + delay);
        if (answered) liveness.answered(now, now + 2 * delay);
      }
      expect(liveness.lostAt).toBeLessThanOrEqual(serverHeard + 900);
    }),
    { seed: 21 },
  );
});
