import { op } from './op-codes.ts';

/**
 * The first version that knows an operation, where that is not the oldest we speak to. A server that is asked for what it
 * does not know closes the connection.
 */
export const since: ReadonlyMap<number, string> = new Map<number, string>([
  [op.multiRead, '3.6'],
  [op.ephemerals, '3.6'],
  [op.countDescendants, '3.6'],
  [op.setWatches2, '3.6'],
  [op.addWatch, '3.6'],
  [op.whoAmI, '3.7'],
]);

/** Operations come with `x.y.0`: what follows makes no difference. */
export function isAtLeast(version: string, needed: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [neededMajor = 0, neededMinor = 0] = needed.split('.').map(Number);
  return major === neededMajor ? minor >= neededMinor : major > neededMajor;
}
