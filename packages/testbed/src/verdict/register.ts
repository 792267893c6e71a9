import { fieldOf, type Plain, textOf } from '../history/plain.ts';
import { inputField, isKnown, type Model, solePairs, unfit } from './model.ts';
import type { RegisterCall } from './register-call.ts';
import { decideByZones } from './zones.ts';

export interface RegisterOptions {
  /** The value before the first write. Default `null`: a read that found nothing. */
  readonly initial?: Plain;
}

/** One value. `read {key}` returns it (`null`: nothing there), `write {key, value}` replaces it. */
export function register(options: RegisterOptions = {}): Model<string, RegisterCall> {
  return registerModel('register', ['read', 'write'], options);
}

/**
 * A register with `cas {key, expect, value}` beside `read` and `write`: it returns true when the value was `expect` and
 * is now `value`, false when it was another. One that completes with nothing counts as true.
 */
export function casRegister(options: RegisterOptions = {}): Model<string, RegisterCall> {
  return registerModel('compare-and-set register', ['read', 'write', 'cas'], options);
}

function registerModel(name: string, operations: string[], { initial }: RegisterOptions): Model<string, RegisterCall> {
  const first = textOf(initial);
  return {
    name,
    operations,
    initial: first,
    stateKey: (state) => state,
    show: (state) => state,
    call: (operation) => {
      if (operation.op === 'read') {
        return { op: 'read', output: isKnown(operation) ? textOf(operation.output) : undefined };
      }
      const value = textOf(inputField(operation, 'value'));
      if (operation.op === 'write') return { op: 'write', value };
      const output = isKnown(operation) ? (operation.output ?? true) : undefined;
      if (output !== undefined && typeof output !== 'boolean') throw unfit(operation, 'an output of true or false');
      return { op: 'cas', expect: textOf(fieldOf(operation.input, 'expect')), value, output };
    },
    step: (state, call) => {
      if (call.op === 'read') return call.output === undefined || call.output === state ? [state] : [];
      if (call.op === 'write') return [call.value];
      const applies = state === call.expect;
      if (call.output !== undefined && call.output !== applies) return [];
      return [applies ? call.value : state];
    },
    reads: (call) => call.op === 'read' || (call.op === 'cas' && call.output === false),
    decide: (calls) => decideByZones(first, calls),
    causes: (calls) =>
      solePairs(
        calls,
        (call) => (call.op === 'read' || (call.op === 'cas' && call.output === false) ? undefined : call.value),
        (call) => {
          const seen =
            call.op === 'read' ? call.output : call.op === 'cas' && call.output === true ? call.expect : undefined;
          return seen === first ? undefined : seen;
        },
      ),
    // A value nobody saw can go, unless a compare-and-set that found another value may have found this one.
    separable: (calls) => {
      const seen = new Set<string>();
      let missed = false;
      for (const call of calls) {
        if (call.op === 'read' && call.output !== undefined) seen.add(call.output);
        if (call.op === 'cas') {
          seen.add(call.expect);
          if (call.output === false) missed = true;
        }
      }
      return calls.flatMap((call, place) => {
        const reads = call.op === 'read' || (call.op === 'cas' && call.output === false);
        return reads || (!missed && !seen.has((call as { value: string }).value)) ? [[place]] : [];
      });
    },
  };
}
