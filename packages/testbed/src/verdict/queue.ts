import { textOf } from '../history/plain.ts';
import { decideDistinct } from './distinct-queue.ts';
import { groupsBy, inputField, isKnown, type Model, placesOf, solePairs } from './model.ts';
import type { QueueCall } from './queue-call.ts';
import { enqueueOrder, isContradiction } from './queue-order.ts';

export interface QueueOptions {
  /** `fifo`: first in, first out. `bag`: in any order. Default fifo. */
  readonly order?: 'fifo' | 'bag';
}

/**
 * `enqueue {key, value}` puts in, `dequeue {key}` takes out and returns the value, or nothing when it was empty. Give each
 * value once: then hardly anything is left to try, however many clients there are. Where a value comes again the orders of
 * ten clients on one queue are soon too many and the verdict `unknown`; spread the work over several keys.
 */
export function queue({ order = 'fifo' }: QueueOptions = {}): Model<readonly string[], QueueCall> {
  const fifo = order === 'fifo';
  return {
    name: fifo ? 'queue (first in, first out)' : 'queue (any order)',
    operations: ['enqueue', 'dequeue'],
    initial: [],
    stateKey: (state) => state.join(' '),
    show: (state) => (state.length === 0 ? 'empty' : state.join(', ')),
    call: (operation) => {
      if (operation.op === 'enqueue') return { op: 'enqueue', value: textOf(inputField(operation, 'value')) };
      if (!isKnown(operation)) return { op: 'dequeue', value: undefined };
      const { output = null } = operation;
      return { op: 'dequeue', value: output === null ? null : textOf(output) };
    },
    step: (state, call) => {
      if (call.op === 'enqueue') return [fifo ? [...state, call.value] : inserted(state, call.value)];
      if (call.value === null) return state.length === 0 ? [state] : [];
      if (call.value === undefined) {
        if (state.length === 0) return [state];
        return fifo ? [state.slice(1)] : state.map((_, place) => state.toSpliced(place, 1));
      }
      const place = fifo ? 0 : state.indexOf(call.value);
      return place >= 0 && state[place] === call.value ? [state.toSpliced(place, 1)] : [];
    },
    reads: (call) => call.op === 'dequeue' && call.value === null,
    decide: (calls) => (isContradiction(calls, fifo) ? false : decideDistinct(calls, fifo)),
    causes: (calls) => {
      const taken = solePairs(
        calls,
        ({ op, value }) => (op === 'enqueue' ? value : undefined),
        ({ op, value }) => (op === 'dequeue' ? (value ?? undefined) : undefined),
      );
      return fifo ? [...taken, ...enqueueOrder(calls)] : taken;
    },
    // All that happened to one value can go, and so can finding the queue empty. A take that may have taken anything must
    // stay where the order or the emptiness of the rest depends on what is gone.
    separable: (calls) => {
      const groups = groupsBy(calls, ({ value }) => (value === undefined ? undefined : `${value === null} ${value}`));
      const orderless = !fifo && calls.every(({ value }) => value !== null);
      return orderless ? [...groups, ...placesOf(calls, ({ value }) => value === undefined)] : groups;
    },
  };
}

function inserted(state: readonly string[], value: string): string[] {
  const place = state.findIndex((other) => other > value);
  return state.toSpliced(place === -1 ? state.length : place, 0, value);
}
