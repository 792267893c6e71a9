import { countBelow } from './count-below.ts';

/** What some parts add up to. */
export interface Total {
  readonly count: number;
  /** The sum of those above 0. */
  readonly up: bigint;
  /** The sum of those below 0. */
  readonly down: bigint;
}

/** Gives the total of all parts that lie before a place. */
export function totals(parts: readonly { readonly at: number; readonly by: bigint }[]): (place: number) => Total {
  const sorted = parts.toSorted((a, b) => a.at - b.at);
  const places = sorted.map(({ at }) => at);
  const sums: Total[] = [{ count: 0, up: 0n, down: 0n }];
  for (const { by } of sorted) {
    const { count, up, down } = sums.at(-1) as Total;
    sums.push({ count: count + 1, ...(by > 0n ? { up: up + by, down } : { up, down: down + by }) });
  }
  return (place) => sums[countBelow(places, place)] as Total;
}
