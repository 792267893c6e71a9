import { checkNames, type Duration, InvalidArgumentError, QuorateError } from '@quorate/core';
import { currentStep, type Step, step } from '../activity/step.ts';

/** What is known of a key. `revoked`: it was undone before it was done. */
export type EffectState = 'done' | 'undone' | 'revoked';

/** A fence that the effect stands behind: who comes with an older token than somebody before is refused, with `fenced`. */
export interface Fence {
  readonly name: string;
  readonly token: bigint;
}

export interface OnceOptions {
  /** Default: that of the running step. */
  readonly key?: string;
  /** A name, for the token that the workflow carries, or name and token. */
  readonly fence?: string | Fence;
}

export interface UndoOptions {
  /** Default: those that the running step undoes. */
  readonly keys?: readonly string[];
}

/**
 * Remembers effects by their key, where the effect itself is kept: each happens once, however often it is tried, and wherever an
 * attempt dies.
 *
 *     const charge = async (ride: string) => await effects.once(async (tx) => { … });
 *     const refund = async () => await effects.undo(async (tx, charged) => { … });
 *
 * Hazard: only what goes through the transaction happens once. A call to somebody else is made once for each attempt; give them `step().key`, if they take an idempotency key.
 */
export interface Effects<Transaction> {
  /**
   * Does the effect, unless it was done under this key: then its result of that time is given. The result is what JSON makes of it. A second effect of one activity needs
   * a `key` of its own, such as `${step().key}/receipt`.
   */
  once<Result>(effect: (transaction: Transaction) => Result | Promise<Result>, options?: OnceOptions): Promise<Result>;
  /**
   * Undoes what was done under each key. What was not done can not be done any more: an attempt that comes later, from a worker that stood still, fails
   * with `revoked`. Gives the number of those that were undone now. Done twice, it changes nothing.
   */
  undo<Result>(
    compensation: (transaction: Transaction, result: Result) => unknown,
    options?: UndoOptions,
  ): Promise<number>;
  /** Forgets keys that are older: choose more than the longest workflow takes. Gives how many there were. */
  forget(olderThan: Duration): Promise<number>;
}

export interface OnceSettings {
  readonly key: string;
  readonly fence: Fence | undefined;
}

function checkOnce(options: OnceOptions): OnceSettings {
  checkNames('options', options, ['key', 'fence']);
  const { key = step().key, fence } = options;
  return { key: checkKey('key', key), fence: fence === undefined ? undefined : checkFence(fence) };
}

const taken = new WeakMap<Step, Set<object>>();

/**
 * Does an effect under what its options say. A second one under the key of the running step, in the same attempt, is refused: it would be given
 * the result of the first.
 */
export async function alone<Result>(
  effects: object,
  options: OnceOptions,
  once: (settings: OnceSettings) => Promise<Result>,
): Promise<Result> {
  const settings = checkOnce(options);
  const current = currentStep.getStore();
  if (options.key !== undefined || current === undefined) return await once(settings);
  const stores = taken.get(current) ?? new Set();
  if (stores.has(effects))
    throw new InvalidArgumentError('key', 'to be given: this activity has done an effect under the key of its step');
  taken.set(current, stores.add(effects));
  try {
    return await once(settings);
  } catch (error) {
    // It may be tried again within the attempt.
    stores.delete(effects);
    throw error;
  }
}

export function checkUndo(options: UndoOptions): readonly string[] {
  checkNames('options', options, ['keys']);
  const { keys = step().undoes } = options;
  if (keys === undefined)
    throw new QuorateError(
      'effects.undo: this activity undoes no step that is known here, such as one that a child workflow did: give the keys',
      { code: 'nothing-to-undo', happened: 'no' },
    );
  if (!Array.isArray(keys)) throw new InvalidArgumentError('keys', 'a list of keys', keys);
  return keys.map((key) => checkKey('keys', key));
}

/** What the effect gave, as it is kept and as it is given back: the same at the first time as later. */
export function kept(result: unknown): string | null {
  if (result === undefined) return null;
  try {
    const text: string | undefined = JSON.stringify(result);
    if (text !== undefined) return text;
  } catch {
    // A bigint, for example, or a circle.
  }
  throw new InvalidArgumentError('effect', 'to give what JSON can say', result);
}

export function given(text: string | null): unknown {
  return text === null ? undefined : JSON.parse(text);
}

function checkKey(name: string, key: unknown): string {
  if (typeof key === 'string' && key !== '' && Buffer.byteLength(key) <= 2_000) return key;
  throw new InvalidArgumentError(name, 'text of 1 to 2000 bytes', key);
}

function checkFence(fence: string | Fence): Fence {
  const named = typeof fence === 'string' ? { name: fence, token: step().token } : fence;
  checkNames('fence', named, ['name', 'token']);
  const { name, token } = named;
  if (typeof name !== 'string' || name === '' || name.length > 200)
    throw new InvalidArgumentError('fence', 'a name of 1 to 200 characters', name);
  if (typeof token !== 'bigint' || token < 0n || token >= 2n ** 63n)
    throw new InvalidArgumentError(
      'fence',
      'a token: start the workflow with one, or run its worker by an election',
      token,
    );
  return { name, token };
}
