import { InvalidArgumentError } from '@quorate/core';

/** A number of things that may be without end. */
export function howMany(name: string, value: number): number {
  if (value === Infinity || (Number.isInteger(value) && value >= 1)) return value;
  throw new InvalidArgumentError(name, 'a whole number of at least 1, or Infinity', value);
}
