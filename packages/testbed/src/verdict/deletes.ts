import type { Operation } from '../history/operation.ts';
import { countBelow } from './count-below.ts';

/** When a key may have been deleted, in places of its history. */
export class Deletes {
  readonly #begins: readonly number[];
  readonly #ends: readonly number[];
  /** When the first so many of them were over. */
  readonly #over: readonly number[];

  /** `operations` are all those of the key, in order of invocation. */
  constructor(operations: readonly Operation[]) {
    const deletes = operations.filter((operation) => isDelete(operation) && operation.outcome !== 'failed');
    this.#begins = deletes.map(({ invoked }) => invoked);
    this.#ends = deletes.map(({ completed }) => completed).sort((a, b) => a - b);
    const over = [Number.NEGATIVE_INFINITY];
    for (const { completed } of deletes) over.push(Math.max(over.at(-1) as number, completed));
    this.#over = over;
  }

  get count(): number {
    return this.#begins.length;
  }

  begunBefore(place: number): number {
    return countBelow(this.#begins, place);
  }

  /** How many were under way at some time between two places. */
  within(from: number, to: number): number {
    return countBelow(this.#begins, to) - countBelow(this.#ends, from);
  }

  /** When all that had begun before a place were over. What begins after that, none of them can have deleted. */
  overBefore(place: number): number {
    return this.#over[this.begunBefore(place)] as number;
  }

  /** When the next one begins, from a place on. */
  nextAfter(place: number): number {
    return this.#begins[this.begunBefore(place)] ?? Number.POSITIVE_INFINITY;
  }
}

export function isDelete({ op }: Operation): boolean {
  return op === 'delete';
}
