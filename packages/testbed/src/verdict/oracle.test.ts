import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { recorded, type Step, seed, steps } from '../../test/verdict-random.ts';
import type { Operation } from '../history/operation.ts';
import type { Plain } from '../history/plain.ts';
import { counter } from './counter.ts';
import { linearizable } from './linearizable.ts';
import type { Model } from './model.ts';
import { mutex } from './mutex.ts';
import { queue } from './queue.ts';
import { casRegister, register } from './register.ts';

// The oracle tries every order and every choice of ambiguous operations, on objects written again from scratch, so that
// a mistake in a model or in the search shows as a difference.

/** Applies the operation to the object; false when it could not have ended so. `known` is whether the output counts. */
type Apply<Thing> = (thing: Thing, operation: Operation, known: boolean) => boolean;

function oracle<Thing>(operations: readonly Operation[], fresh: () => Thing, apply: Apply<Thing>): boolean {
  const left = operations.filter(({ outcome }) => outcome !== 'failed');
  const attempt = (thing: Thing, rest: readonly Operation[]): boolean => {
    if (rest.every(({ outcome }) => outcome !== 'ok')) return true;
    for (const operation of rest) {
      if (rest.some((other) => other.completed < operation.invoked)) continue;
      const without = rest.filter((other) => other !== operation);
      // An ambiguous take from a bag may have taken anything: `choice` goes through all of it.
      const tried = new Set<string>();
      for (let choice = 0; choice < 8; choice += 1) {
        const copy = structuredClone(thing);
        const chosen = operation.outcome === 'ok' ? operation : { ...operation, output: choice };
        const applies = apply(copy, chosen, operation.outcome === 'ok');
        const after = JSON.stringify(copy);
        if (applies && !tried.has(after) && attempt(copy, without)) return true;
        tried.add(after);
        if (operation.outcome === 'ok') break;
      }
    }
    return false;
  };
  return attempt(fresh(), left);
}

const value = fc.integer({ min: 0, max: 3 });

const read = value.map((output) => ({ op: 'read', input: {}, output: output === 0 ? null : output }));
const write = value.map((written) => ({ op: 'write', input: { value: written === 0 ? null : written }, output: null }));
const cas = fc.record({ expect: value, value, output: fc.boolean() }).map(({ output, ...input }) => ({
  op: 'cas',
  input: { expect: input.expect === 0 ? null : input.expect, value: input.value },
  output,
}));

const applyRegister: Apply<{ value: Plain }> = (thing, { op, input, output }, known) => {
  const { expect: expected = null, value: next = null } = input as { expect?: Plain; value?: Plain };
  if (op === 'read') return !known || (output ?? null) === thing.value;
  if (op === 'cas') {
    const applies = thing.value === expected;
    if (known && output !== applies) return false;
    if (!applies) return true;
  }
  thing.value = next;
  return true;
};

const applyCounter: Apply<{ sum: number }> = (thing, { op, input, output }, known) => {
  if (op === 'add') thing.sum += (input as { by: number }).by;
  return !known || output === null || output === undefined || output === thing.sum;
};

const applyMutex: Apply<{ holder: number | 'someone' | null; last: number }> = (
  thing,
  { op, input, output },
  known,
) => {
  if (op === 'acquire') {
    if (thing.holder !== null) return false;
    thing.holder = known ? (output as number) : 'someone';
    if (known && (output as number) <= thing.last) return false;
    if (known) thing.last = output as number;
    return true;
  }
  const { token } = input as { token: number };
  if (thing.holder === 'someone' && token > thing.last) thing.last = token;
  else if (thing.holder !== token) return false;
  thing.holder = null;
  return true;
};

const applyQueue =
  (fifo: boolean): Apply<{ items: number[] }> =>
  (thing, { op, input, output }, known) => {
    if (op === 'enqueue') {
      thing.items.push((input as { value: number }).value);
      return true;
    }
    if (thing.items.length === 0) return !known || output === null || output === undefined;
    if (!known && fifo) return thing.items.shift() !== undefined;
    const place = fifo ? 0 : thing.items.indexOf(output as number);
    return place >= 0 && thing.items.splice(place, 1)[0] === output;
  };

const enqueue = value.map((item) => ({ op: 'enqueue', input: { value: item }, output: null }));
const dequeue = value
  .chain((item) => fc.constantFrom(item, item, null))
  .map((output) => ({ op: 'dequeue', input: {}, output }));
const twice = <Item>(arbitrary: fc.Arbitrary<Item>): { weight: number; arbitrary: fc.Arbitrary<Item> } => ({
  weight: 2,
  arbitrary,
});

interface Subject {
  readonly name: string;
  readonly model: () => Model<never, never>;
  readonly steps: fc.Arbitrary<Step[]>;
  readonly truth: (operations: readonly Operation[]) => boolean;
}

function subject<Thing, State, Call>(
  name: string,
  model: () => Model<State, Call>,
  kinds: fc.Arbitrary<Pick<Step, 'op' | 'input' | 'output'>>,
  fresh: () => Thing,
  apply: Apply<Thing>,
  arranged: (steps: Step[]) => Step[] = (list) => list,
): Subject {
  return {
    name,
    model: model as unknown as () => Model<never, never>,
    steps: steps(kinds).map(arranged),
    truth: (operations) => oracle(operations, fresh, apply),
  };
}

const add = fc
  .tuple(fc.integer({ min: -1, max: 2 }), fc.constantFrom(null, null, 0, 1, 2))
  .map(([by, output]) => ({ op: 'add', input: { by }, output }));
const more = add.map((step) => ({ ...step, input: { by: Math.abs(step.input.by) } }));
const sum = fc.integer({ min: 0, max: 3 }).map((output) => ({ op: 'read', input: {}, output }));
const acquire = value.map((token) => ({ op: 'acquire', input: {}, output: token }));
const release = value.map((token) => ({ op: 'release', input: { token }, output: null }));
const unset = (): { value: Plain } => ({ value: null });
const bag = (): ReturnType<typeof queue> => queue({ order: 'bag' });
const empty = (): { items: number[] } => ({ items: [] });

/** Each value is put in once: the first is 0. */
function distinct(list: Step[]): Step[] {
  let next = 0;
  return list.map((step) => {
    if (step.op !== 'enqueue') return step;
    const input = { value: next };
    next += 1;
    return { ...step, input };
  });
}

const subjects: Subject[] = [
  subject('register', register, fc.oneof(read, write), unset, applyRegister),
  subject('compare-and-set register', casRegister, fc.oneof(read, write, cas), unset, applyRegister),
  subject('counter', counter, fc.oneof(add, sum), () => ({ sum: 0 }), applyCounter),
  subject('counter that only grows', counter, fc.oneof(more, sum), () => ({ sum: 0 }), applyCounter),
  subject('mutex', mutex, fc.oneof(acquire, release), () => ({ holder: null, last: -1 }), applyMutex),
  subject('fifo queue', queue, fc.oneof(twice(enqueue), dequeue), empty, applyQueue(true)),
  subject('fifo queue, each value once', queue, fc.oneof(enqueue, dequeue), empty, applyQueue(true), distinct),
  subject('bag, each value once', bag, fc.oneof(enqueue, dequeue), empty, applyQueue(false), distinct),
  subject('bag', bag, fc.oneof(twice(enqueue), dequeue), empty, applyQueue(false)),
];

describe(`against every order there is, seed ${seed} (set QUORATE_SEED for another)`, () => {
  for (const { name, model, steps: histories, truth } of subjects) {
    test(`${name}: the verdict is the oracle's`, () => {
      const count = { valid: 0, invalid: 0, unknown: 0 };
      fc.assert(
        fc.property(histories, (list) => {
          const history = recorded(list);
          const { operations } = history;
          const shown = operations.some(({ outcome }) => outcome === 'ok') ? 'valid' : 'unknown';
          const expected = truth(operations) ? shown : 'invalid';
          count[expected] += 1;
          expect(linearizable(history, model()).result).toBe(expected);
        }),
        { seed, numRuns: 1500 },
      );
      // Histories that are nearly all good, or nearly all bad, would prove little.
      expect(count.valid).toBeGreaterThan(100);
      expect(count.invalid).toBeGreaterThan(100);
      expect(count.unknown).toBeGreaterThan(10);
    });

    test(`${name}: the evidence alone is invalid too, by the oracle`, () => {
      fc.assert(
        fc.property(histories, (list) => {
          const history = recorded(list);
          const { result, evidence } = linearizable(history, model());
          if (result !== 'invalid' || evidence === undefined) return;
          const shown = new Set(evidence.lines.map(({ operation }) => operation));
          const operations = history.operations.filter(({ id }) => shown.has(id));
          expect(operations.length).toBeGreaterThan(0);
          expect(truth(operations)).toBe(false);
        }),
        { seed, numRuns: 1500 },
      );
    });
  }
});
