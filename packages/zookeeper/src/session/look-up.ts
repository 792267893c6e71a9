import { lookup } from 'node:dns/promises';

/** The addresses of a name. */
export type LookUp = (host: string) => Promise<readonly string[]>;

/** By name. A look-up cannot be stopped, and each takes one of the few threads of Node: one that hangs is not begun again. */
const underWay = new Map<string, Promise<readonly string[]>>();

/** Asked anew on each attempt: in a cluster, a name outlives the addresses behind it. */
export const lookUp: LookUp = (host) => {
  const found =
    underWay.get(host) ??
    lookup(host, { all: true })
      .then((addresses) => addresses.map(({ address }) => address))
      .finally(() => underWay.delete(host));
  underWay.set(host, found);
  return found;
};
