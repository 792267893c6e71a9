import { InvalidArgumentError } from './invalid-argument-error.ts';

type Span = `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

/** Milliseconds, or text: `'250ms'`, `'30s'`, `'5m'`, `'1h'`, `'7d'`, and sums of these such as `'1h30m'`. */
export type Duration = number | Span | `${Span}${Span}` | `${Span}${Span}${Span}`;

export interface DurationLimits {
  /** What an error calls it. Default `duration`. */
  readonly name?: string;
  /** In milliseconds. Default 0. */
  readonly least?: number;
  /** In milliseconds. Default: as much as a number can say exactly. */
  readonly most?: number;
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * In whole milliseconds, rounded up; also for text of which the compiler does not know what it says. What is no duration, or beyond the limits, is an
 * `InvalidArgumentError`.
 */
export function duration(
  value: number | string,
  { name = 'duration', least = 0, most = Number.MAX_SAFE_INTEGER }: DurationLimits = {},
): number {
  const given: unknown = value;
  const ms = typeof given === 'number' ? given : typeof given === 'string' ? fromText(given) : Number.NaN;
  if (ms >= least && ms <= most) return Math.ceil(ms);
  const limits = [
    ...(least > 0 ? [`at least ${least} ms`] : []),
    ...(most < Number.MAX_SAFE_INTEGER ? [`at most ${most} ms`] : []),
  ];
  const expected = ['milliseconds, or text such as "250ms", "30s", "5m", "1h", "7d" or "1h30m"', ...limits].join(', ');
  throw new InvalidArgumentError(name, expected, value);
}

function fromText(text: string): number {
  if (text.length > 64 || !/^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/.test(text)) return Number.NaN;
  let sum = 0;
  for (const [, number, unit = ''] of text.matchAll(/([\d.]+)([a-z]+)/g))
    sum += Number(number) * (units[unit] ?? Number.NaN);
  // 1.1 s is no more than 1,100 ms, whatever becomes of it in binary.
  return Math.round(sum * 1e6) / 1e6;
}
