/** Of values in ascending order: no more than this share of them is smaller. */
export function quantile(ascending: ArrayLike<number>, share: number): number {
  return ascending[Math.floor((ascending.length - 1) * share)] ?? Number.NaN;
}
