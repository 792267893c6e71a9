import type { Endpoint } from './balancer.ts';

/** Nothing can be sent to this address, whoever listens there: nothing was. */
export class Unsendable extends Error {}

/** The same path and query at an instance. */
export function urlAt({ address, instance }: Endpoint, { pathname, search }: URL): URL {
  const url = URL.parse(`http://${address}${pathname}${search}`);
  if (url) return url;
  throw new Unsendable(`${instance.id} on ${instance.node} is registered with an address that is none: ${address}`);
}

/** `fetch` refuses the ports of other protocols, and says so by a cause without a code. */
export function refusedPort(error: unknown, { port }: URL): Unsendable | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  if (!(cause instanceof Error && cause.message === 'bad port')) return undefined;
  return new Unsendable(`fetch sends nothing to port ${port}, which is another protocol's; listen at another one`);
}
