import { duration } from '@quorate/core';
import { InvalidArgumentError } from 'commander';

/** The longest that may be asked for. */
const most = 86_400_000;

/** Reads a time on the command line, in milliseconds of at least `least`: seconds, or a number with its unit. */
export function durationFlag(least: number): (text: string) => number {
  return (text) => {
    try {
      return duration(/^\d+(\.\d+)?$/.test(text) ? `${text}s` : text, { least, most });
    } catch {
      const from = least > 0 ? 'above 0' : 'from 0';
      throw new InvalidArgumentError(`Expected seconds, or a time such as 500ms, 30s or 5m: ${from}, at most 24h.`);
    }
  };
}
