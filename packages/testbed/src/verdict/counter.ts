import type { CounterCall } from './counter-call.ts';
import { counterOutlook } from './counter-outlook.ts';
import { bigintOf, inputField, isKnown, type Model, unfit } from './model.ts';

/**
 * A number. `add {key, by}` adds to it and returns the sum, or nothing when it is not known; `read {key}` returns it.
 * Numbers are bigints, or numbers without a fraction. Of many clients on one counter it is judged fastest when nothing is
 * ever taken away, or adds return their sums; with neither the verdict may be `unknown`, from thirty clients or so.
 */
export function counter({ initial = 0n }: { readonly initial?: bigint } = {}): Model<bigint, CounterCall> {
  return {
    name: 'counter',
    operations: ['add', 'read'],
    initial,
    stateKey: String,
    show: String,
    call: (operation) => {
      const value = isKnown(operation) ? (operation.output ?? undefined) : undefined;
      const output = bigintOf(value);
      if (value !== undefined && output === undefined) throw unfit(operation, 'a whole number as output');
      if (operation.op === 'read') {
        if (isKnown(operation) && output === undefined) throw unfit(operation, 'a whole number as output');
        return { op: 'read', output };
      }
      const by = bigintOf(inputField(operation, 'by'));
      if (by === undefined) throw unfit(operation, 'a whole number as "by"');
      return { op: 'add', by, output };
    },
    step: (state, call) => {
      const next = call.op === 'add' ? state + call.by : state;
      return call.output === undefined || call.output === next ? [next] : [];
    },
    reads: (call) => call.op === 'read',
    outlook: (timeline) => counterOutlook(initial, timeline),
  };
}
