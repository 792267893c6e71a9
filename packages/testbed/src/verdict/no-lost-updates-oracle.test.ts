import fc from 'fast-check';
import { describe, test } from 'vitest';
import { agree, key, keyText, recorded, seed, steps } from '../../test/verdict-random.ts';
import type { History } from '../history/history.ts';
import type { Operation } from '../history/operation.ts';
import type { Plain } from '../history/plain.ts';
import { check } from './check.ts';
import type { Verdict } from './verdict.ts';

describe(`no lost updates against its definition, seed ${seed} (set QUORATE_SEED for another)`, () => {
  type Defined = (operations: readonly Operation[]) => Verdict['result'];

  /** Key by key: invalid where one is, unknown where all are. */
  const ofEachKey =
    (defined: Defined) =>
    (history: History): Verdict['result'] => {
      const found = [...Map.groupBy(history.operations, ({ input }) => keyText(input)).values()].map(defined);
      return found.find((each) => each === 'invalid') ?? found.find((each) => each === 'valid') ?? 'unknown';
    };
  const field = ({ input }: Operation, name: string): Plain | undefined => (input as Record<string, Plain>)[name];
  const precedes = (a: Operation, b: Operation): boolean => a.completed < b.invoked;
  /** What was added counts for certain once it is complete, unless a delete may have come after it. */
  const counts = (add: Operation, each: Operation, operations: readonly Operation[]): boolean =>
    precedes(add, each) &&
    !operations.some(
      (other) => other.op === 'delete' && other.outcome !== 'failed' && !precedes(other, add) && !precedes(each, other),
    );
  const remove = fc.record({ op: fc.constant('delete') });
  const draw = (kind: fc.Arbitrary<{ op: string; input?: object; output?: Plain }>): never =>
    fc
      .tuple(key, kind)
      .map(([of, { op, input, output = null }]) => ({ op, input: { ...of, ...input }, output })) as never;
  const often = <Item>(arbitrary: fc.Arbitrary<Item>): { weight: number; arbitrary: fc.Arbitrary<Item> } => ({
    weight: 4,
    arbitrary,
  });
  const judge = (history: History): Verdict => check.noLostUpdates(history);

  test('sums: the verdict is that of every choice of adds that may count', () => {
    const defined: Defined = (operations) => {
      if (operations.every(({ op }) => op !== 'add')) return 'unknown';
      const adds = operations.filter(({ op, outcome }) => op === 'add' && outcome !== 'failed');
      const by = (operation: Operation): number => (operation.op === 'add' ? Number(field(operation, 'by')) : 0);
      const deletes = operations.filter(({ op, outcome }) => op === 'delete' && outcome !== 'failed');
      const told = operations.filter(
        (each) =>
          each.outcome === 'ok' &&
          (typeof each.output === 'number' ||
            (each.op === 'read' && adds.some((add) => counts(add, each, operations)))),
      );
      let judged = false;
      for (const each of told) {
        const others = adds.filter((other) => other !== each && !precedes(each, other));
        let sums = [by(each)];
        for (const other of others) {
          const with_ = sums.map((sum) => sum + by(other));
          const certain = counts(other, each, operations);
          sums = certain ? with_ : [...sums, ...with_];
          judged ||= certain;
        }
        if (Number(each.output) < Math.min(...sums) || Number(each.output) > Math.max(...sums)) return 'invalid';
      }
      if (deletes.length > 0 || adds.some((operation) => by(operation) < 0)) return judged ? 'valid' : 'unknown';
      // Every unit of the sum was added by one of them at most.
      const units = new Set<number>();
      let stepped = 0;
      for (const each of told) {
        if (by(each) > 0) stepped += 1;
        for (let unit = 1; unit <= by(each); unit += 1) {
          const at = Number(each.output) - by(each) + unit;
          if (units.has(at)) return 'invalid';
          units.add(at);
        }
      }
      return judged || stepped > 1 ? 'valid' : 'unknown';
    };
    const add = fc.record({
      op: fc.constant('add'),
      input: fc.record({ by: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constantFrom(1, 1, 2, -1)) }),
      output: fc.oneof(fc.constant(null), fc.integer({ min: 0, max: 6 })),
    });
    const read = fc.record({
      op: fc.constant('read'),
      output: fc.oneof(fc.constant(null), fc.integer({ min: -1, max: 6 })),
    });
    agree(steps(draw(fc.oneof(often(add), often(read), remove)), 6), recorded, judge, ofEachKey(defined));
  });

  test('values: the verdict is that of every add beside every read', () => {
    const defined: Defined = (operations) => {
      if (operations.every(({ op }) => op !== 'add')) return 'unknown';
      const adds = operations.filter(({ op, outcome }) => op === 'add' && outcome !== 'failed');
      let judged = false;
      for (const read of operations) {
        if (read.op !== 'read' || read.outcome !== 'ok') continue;
        const values = ((read.output ?? []) as Plain[]).map((value) => JSON.stringify(value));
        const textOfAdd = (add: Operation): string => JSON.stringify(field(add, 'value'));
        const certain = adds.filter((add) => counts(add, read, operations));
        judged ||= certain.length > 0;
        if (certain.some((add) => !values.includes(textOfAdd(add)))) return 'invalid';
        const possible = adds.filter((add) => !precedes(read, add)).map(textOfAdd);
        if (values.some((value) => !possible.includes(value))) return 'invalid';
      }
      return judged ? 'valid' : 'unknown';
    };
    const value = fc.constantFrom<Plain>('a', 'a', 'a', 'a', 'b', 'b', 1, '1');
    const add = fc.record({ op: fc.constant('add'), input: fc.record({ value }) });
    const read = fc.record({
      op: fc.constant('read'),
      output: fc.constantFrom<Plain>(['a'], ['a'], ['a', 'b'], ['b'], [], null, ['a', 1], ['1', 'a']),
    });
    agree(steps(draw(fc.oneof(often(add), often(read), remove)), 6), recorded, judge, ofEachKey(defined));
  });

  test('versions: the verdict is that of every order of two updates and a delete', () => {
    /** Whether these can have taken effect in this order, each at a moment of its own between its begin and its end. */
    const inOrder = (...operations: Operation[]): boolean => {
      let now = -1;
      return operations.every(({ invoked, completed }) => {
        now = Math.max(now, invoked) + 0.01;
        return now < completed;
      });
    };
    const defined: Defined = (operations) => {
      const updates = operations.filter(
        (operation) =>
          operation.outcome === 'ok' && Number(field(operation, 'version') ?? -1) >= 0 && operation.output !== false,
      );
      const deletes = operations.filter(({ op, outcome }) => op === 'delete' && outcome !== 'failed');
      for (const one of updates) {
        for (const two of updates) {
          if (one.id >= two.id || field(one, 'version') !== field(two, 'version')) continue;
          const explained = [
            [one, two],
            [two, one],
          ].some(([first, second]) => {
            if (first === undefined || second === undefined || !inOrder(first, second)) return false;
            const between = deletes.filter((each) => each !== one && each !== two);
            return first.op === 'delete' || between.some((each) => inOrder(first, each, second));
          });
          if (!explained) return 'invalid';
        }
      }
      return updates.length > 1 ? 'valid' : 'unknown';
    };
    const version = fc.constantFrom(0, 0, 0, 0, 1, -1);
    const input = fc.record({ version }, { requiredKeys: [] });
    const kind = fc.oneof(
      fc.record({ op: fc.constantFrom('set', 'set', 'cas'), input, output: fc.constantFrom(null, null, true, false) }),
      fc.record({ op: fc.constant('delete'), input }),
    );
    agree(steps(draw(kind), 7, 3), recorded, judge, ofEachKey(defined));
  });
});
