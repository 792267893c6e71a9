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

/** A loader of one key that waits until the others have been asked for as well, and then asks for all in one call. */
export function together<T>(
  load: LoadMany<T>,
  loadTimeout: number,
  guard: <R>(key: string, work: () => Promise<R>) => Promise<R>,
): Load<T> {
  if (typeof load !== 'function') throw new InvalidArgumentError('load', 'a function', load);
  let gathered: Wanted[] = [];
  const depart = async (): Promise<void> => {
    const wanted = gathered;
    gathered = [];
    const keys = wanted.map(({ context }) => context.key);
    using allowance = new Allowance(loadTimeout, `${keys.length} keys: their loader did not finish`);
    // When nobody wants any of them any more, the load may end.
    let left = wanted.length;
    const unwanted = ({ reason }: AbortSignal): void => {
      left -= 1;
      if (left === 0) allowance.abort(reason);
    };
    for (const { context } of wanted) context.signal.addEventListener('abort', () => unwanted(context.signal));
    try {
      const found = await guard(keys[0] ?? '', () => allowance.bound(() => load(keys, { signal: allowance.signal })));
      if (typeof found !== 'object' || found === null)
        throw new InvalidArgumentError('load', 'a function that returns a Map or an object', found);
      for (const { context, resolve } of wanted) resolve(valueIn(found, context.key) as never);
    } catch (error) {
      for (const { reject } of wanted) reject(error);
    }
  };
  return (context) =>
    new Promise<T>((resolve, reject) => {
      gathered.push({ context, resolve, reject });
      // The right to load comes from Redis for all of them in one go, or nearly.
      if (gathered.length === 1) setImmediate(() => void depart());
    });
}

function valueIn<T>(found: ReadonlyMap<string, T> | Readonly<Record<string, T>>, key: string): T | undefined {
  if (found instanceof Map) return found.get(key);
  return Object.hasOwn(found, key) ? (found as Readonly<Record<string, T>>)[key] : undefined;
}
