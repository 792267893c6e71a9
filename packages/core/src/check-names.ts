import { InvalidArgumentError } from './invalid-argument-error.ts';

/** Refuses what is no object, and a name in it that is not known: misspelt, it would be ignored in silence. Values are not shown. */
export function checkNames(argument: string, value: unknown, known: readonly string[]): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidArgumentError(argument, `an object with ${known.join(', ')}`, value);
  }
  const unknown = Object.keys(value).find((name) => !known.includes(name));
  if (unknown !== undefined) throw new InvalidArgumentError(`${argument}.${unknown}`, `one of ${known.join(', ')}`);
}
