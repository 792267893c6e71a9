import { type Duration, duration } from '@quorate/core';

/** Nothing lives longer than a year: what Redis remembers of tags must outlive every entry. */
export const longestLife: number = 365 * 86_400_000;

/** Whole milliseconds, from `least` up to a year. */
export function checkDuration(name: string, value: Duration, least = 0): number {
  return duration(value, { name, least, most: longestLife });
}
