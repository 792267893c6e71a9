import { InvalidArgumentError } from '@quorate/core';

/** Milliseconds, or a number with its unit: `250ms`, `30s`, `5m`, `1h`, `7d`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Nothing lives longer than a year: what Redis remembers of tags must outlive every entry. */
export const longestLife: number = 365 * 86_400_000;

const expected = 'milliseconds or a number with a unit (ms, s, m, h, d) such as "5m", at most a year';

/** Whole milliseconds, from `least` up. */
export function checkDuration(name: string, value: unknown, least = 0): number {
  const ms = typeof value === 'number' ? value : typeof value === 'string' ? fromText(value) : Number.NaN;
  if (!(ms >= least && ms <= longestLife)) {
    throw new InvalidArgumentError(name, least > 0 ? `${expected}, at least ${least} ms` : expected, value);
  }
  return Math.ceil(ms);
}

function fromText(text: string): number {
  const [, number, unit = ''] = /^(\d{1,12}(?:\.\d{1,6})?)(ms|s|m|h|d)$/.exec(text) ?? [];
  return Number(number) * (units[unit] ?? Number.NaN);
}
