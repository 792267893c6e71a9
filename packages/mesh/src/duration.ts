import { type Duration, duration } from '@quorate/core';

/** In milliseconds; no more than a timer can wait. */
export function milliseconds(name: string, value: Duration, least = 1): number {
  return duration(value, { name, least, most: 2 ** 31 - 1 });
}
