import { InvalidArgumentError } from '@quorate/core';
import type { CallOptions, ZooKeeper } from '@quorate/zookeeper';
import type { AccessOptions } from './access.ts';
import { Cell } from './cell/cell.ts';
import { WrongKindError } from './errors/wrong-kind-error.ts';
import { checkSession } from './given-session.ts';
import { OneAtATime } from './waiting/one-at-a-time.ts';

const kind = { what: 'a counter', word: 'counter' };

/**
 * A whole number of any size that many processes add to.
 *
 *     import { Counter } from '@quorate/coordination';
 *     import { connect } from '@quorate/zookeeper';
 *
 *     await using zk = await connect('localhost:2181');
 *     const rides = new Counter(zk, '/taxi/rides');
 *     console.log(await rides.add(1n)); // 1n the first time: each call gets a number that no other call gets
 *
 * The number stands in the node as decimal text, on a line of its own before one that says who wrote last; whoever
 * writes it without that line is understood. A node that is missing or empty counts as 0.
 *
 * Hazards:
 * - When the connection breaks during an `add`, it waits for the next one and finds out whether the addition was done:
 *   it is done once. Where that cannot be found out - the session is lost, the call was aborted, the node was deleted,
 *   or 16 others have written since - the error is an `AmbiguousError`. Adding again then may count twice.
 * - Every addition is two round trips, and one is done at a time, whoever asks. Additions through one `Counter` wait in
 *   line; those of several processes try again until they succeed, and with many of them most tries are in vain. For
 *   more than some hundred additions a second, count locally and add the sum now and then.
 * - Do not delete the node while it is in use: versions begin again, and an addition that was under way may replace
 *   the new number by one that follows from the old.
 * - A node takes 2,147,483,647 changes; delete it (or choose another path) before that.
 */
export class Counter {
  readonly #cell: Cell;
  readonly #writes = new OneAtATime();

  constructor(zk: ZooKeeper, path: string, options: AccessOptions = {}) {
    checkSession(zk);
    this.#cell = new Cell(zk, path, kind, options);
  }

  get path(): string {
    return this.#cell.path;
  }

  /** The number now: every addition that was confirmed before the call is in it. */
  async get({ signal }: CallOptions = {}): Promise<bigint> {
    const { text } = await this.#cell.read(signal);
    return this.#number(text);
  }

  /** Adds, and resolves with the sum. A number below 0 takes away. */
  async add(by: bigint, { signal }: CallOptions = {}): Promise<bigint> {
    checkNumber('by', by);
    return await this.#change((number) => number + by, signal);
  }

  /** Replaces the number, whatever it is. */
  async set(value: bigint, { signal }: CallOptions = {}): Promise<void> {
    checkNumber('value', value);
    await this.#change(() => value, signal);
  }

  /** Replaces the number if it is `expected`, and resolves with whether it was. */
  async compareAndSet(expected: bigint, value: bigint, { signal }: CallOptions = {}): Promise<boolean> {
    checkNumber('expected', expected);
    checkNumber('value', value);
    let equal = false;
    await this.#change((number) => {
      equal = number === expected;
      return equal ? value : undefined;
    }, signal);
    return equal;
  }

  async #change(change: (number: bigint) => bigint | undefined, signal: AbortSignal | undefined): Promise<bigint> {
    const { text } = await this.#writes.run(signal, () =>
      this.#cell.update((before) => change(this.#number(before))?.toString(), signal),
    );
    return this.#number(text);
  }

  #number(text: string | undefined): bigint {
    if (text === undefined) return 0n;
    const digits = text.trim();
    if (/^-?\d+$/.test(digits)) return BigInt(digits);
    throw new WrongKindError(this.path, kind.what, `${text.length} characters that are not a whole number`);
  }
}

function checkNumber(name: string, value: unknown): void {
  if (typeof value !== 'bigint') throw new InvalidArgumentError(name, 'a bigint such as 1n', value);
}
