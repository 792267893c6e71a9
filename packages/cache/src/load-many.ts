import { InvalidArgumentError } from '@quorate/core';
import { Allowance } from './allowance.ts';
import type { Load, LoadContext } from './load-context.ts';

/** Loads what is missing of several keys at once. What it leaves out does not exist. */
export type LoadMany<T> = (
  keys: readonly string[],
  context: { readonly signal: AbortSignal },
) =>
  | ReadonlyMap<string, T>
  | Readonly<Record<string, T>>
  | Promise<ReadonlyMap<string, T> | Readonly<Record<string, T>>>;

interface Wanted {
  readonly context: LoadContext;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

/** One of the keys: `load` is its loader, `aside` says that it comes from somewhere else. */
interface Part<T> {
  readonly load: Load<T>;
  readonly aside: () => void;
}

/** What a load of these keys goes through. */
type Guard = <R>(keys: readonly [string, ...string[]], allowance: Allowance, work: () => Promise<R>) => Promise<R>;

/**
 * One call of a loader for many keys: it leaves when it is known of each whether it must be loaded. A key that another
 * loads, and does not get in the end, comes later by itself.
 */
export class Together<T> {
  readonly #load: LoadMany<T>;
  readonly #loadTimeout: number;
  readonly #guard: Guard;
  #undecided = 0;
  #gathered: Wanted[] = [];
  #leaving = false;

  constructor(load: LoadMany<T>, loadTimeout: number, guard: Guard) {
    if (typeof load !== 'function') throw new InvalidArgumentError('load', 'a function', load);
    this.#load = load;
    this.#loadTimeout = loadTimeout;
    this.#guard = guard;
  }

  part(): Part<T> {
    this.#undecided += 1;
    let decided = false;
    const aside = (): void => {
      if (decided) return;
      decided = true;
      this.#undecided -= 1;
      this.#leave();
    };
    const load: Load<T> = (context) =>
      new Promise<T>((resolve, reject) => {
        this.#gathered.push({ context, resolve, reject });
        if (decided) this.#leave();
        else aside();
      });
    return { load, aside };
  }

  #leave(): void {
    if (this.#undecided > 0 || this.#gathered.length === 0 || this.#leaving) return;
    this.#leaving = true;
    setImmediate(() => void this.#depart());
  }

  async #depart(): Promise<void> {
    const wanted = this.#gathered;
    this.#gathered = [];
    this.#leaving = false;
    const keys = wanted.map(({ context }) => context.key);
    using allowance = new Allowance(this.#loadTimeout, `${keys.length} keys: their loader did not finish`);
    // When nobody wants any of them any more, the load may end.
    let left = wanted.length;
    const unwanted = ({ reason }: AbortSignal): void => {
      left -= 1;
      if (left === 0) allowance.abort(reason);
    };
    for (const { context } of wanted) {
      const { signal } = context;
      if (signal.aborted) unwanted(signal);
      else signal.addEventListener('abort', () => unwanted(signal), { once: true });
    }
    const load = async (): Promise<ReturnType<LoadMany<T>>> => {
      const found = await this.#load(keys, { signal: allowance.signal });
      // Of a list, or of anything else that is gone through, no key would be found.
      const named = typeof found === 'object' && found !== null && !(Symbol.iterator in found);
      if (named || found instanceof Map) return found;
      throw new InvalidArgumentError(
        'load',
        'a function that returns a Map or an object, with the values by key',
        found,
      );
    };
    try {
      const found = await this.#guard(keys as [string, ...string[]], allowance, () => allowance.bound(load));
      for (const { context, resolve } of wanted) resolve(valueIn(found, context.key) as never);
    } catch (error) {
      for (const { reject } of wanted) reject(error);
    }
  }
}

function valueIn<T>(found: ReadonlyMap<string, T> | Readonly<Record<string, T>>, key: string): T | undefined {
  if (found instanceof Map) return found.get(key);
  return Object.hasOwn(found, key) ? (found as Readonly<Record<string, T>>)[key] : undefined;
}
