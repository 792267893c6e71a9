import { expect, test } from 'vitest';
import { type SimulatedRun, simulatedRun } from '../../test/verdict-simulated-run.ts';
import { seeded } from '../history/seeded.ts';
import { Budget } from './budget.ts';
import { counter } from './counter.ts';
import type { CounterCall } from './counter-call.ts';
import { Search } from './search.ts';
import type { TimedCall } from './timeline.ts';

type Calls = TimedCall<CounterCall>[];

const seed = Number(process.env.QUORATE_SEED ?? 5);

/** What clients did to one counter; half of the adds that were answered did not say the sum. */
function run(options: Pick<SimulatedRun, 'seed' | 'operations' | 'clients' | 'lost'>): Calls {
  const chance = seeded(options.seed);
  return simulatedRun({ ...options, object: 'counter', keys: 1 }).operations.map((operation) => {
    const { invoked, completed } = operation;
    const call = counter().call(operation);
    const silent = call.op === 'add' && chance.next() < 0.5;
    return { call: silent ? { ...call, output: undefined } : call, invoked, completed };
  });
}

/** The same with one sum that is wrong by one. */
function spoilt(calls: Calls, chance: number): Calls {
  const told = calls.flatMap(({ call }, place) => (call.output === undefined ? [] : [place]));
  const place = told[Math.floor(chance * told.length)] ?? 0;
  const { call, ...times } = calls[place] as TimedCall<CounterCall>;
  return calls.with(place, { call: { ...call, output: (call.output ?? 0n) + 1n }, ...times });
}

function judged(calls: Calls, ahead: boolean): string {
  const budget = new Budget({ milliseconds: 20_000, bytes: 2 ** 29 });
  return new Search(counter(), calls, budget, { ahead }).run().result;
}

test(`looking ahead changes no answer, seed ${seed}`, () => {
  const count: Record<string, number> = { valid: 0, invalid: 0, unknown: 0 };
  for (let round = 0; round < 1_000; round += 1) {
    const calls = run({ seed: seed * 10_000 + round, operations: 20, clients: 6, lost: 0.3 });
    expect(judged(calls, true), `round ${round}`).toBe('valid');
    const wrong = spoilt(calls, seeded(round).next());
    const truth = judged(wrong, false);
    count[truth] = (count[truth] ?? 0) + 1;
    expect(judged(wrong, true), `round ${round}, spoilt`).toBe(truth);
  }
  expect(count.valid).toBeGreaterThan(50);
  expect(count.invalid).toBeGreaterThan(50);
});

test('of many clients on one counter whose adds say nothing, no order that is right is passed over', () => {
  for (let round = 0; round < 20; round += 1) {
    const calls = run({ seed: seed * 100 + round, operations: 400, clients: 30, lost: 0.02 });
    expect(judged(calls, true), `round ${round}`).toBe('valid');
  }
});
