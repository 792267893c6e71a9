import { InvalidArgumentError } from '@quorate/core';

/** Milliseconds, or in Consul's words: `10s`, `1m30s`, `500ms`. */
export type Duration = number | string;

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** In milliseconds. */
export function milliseconds(argument: string, value: unknown, least = 1): number {
  const ms = typeof value === 'string' ? parsed(value) : value;
  if (typeof ms === 'number' && ms >= least && ms <= 2 ** 31 - 1) return ms;
  throw new InvalidArgumentError(argument, `a duration of at least ${least} ms: "10s", or milliseconds`, value);
}

function parsed(text: string): number | undefined {
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/.test(text)) return undefined;
  let sum = 0;
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g))
    sum += Number(number) * (units[unit ?? ''] ?? 0);
  return sum;
}
