import type { Balancer } from './balancer.ts';
import type { Destination } from './mesh-fetch.ts';
import { RetryBudget } from './retry-budget.ts';

/**
 * So many services are followed at most; the one that was asked least lately is let go. Each holds a connection, and an agent
 * allows 200 to all the programs of a machine together (`limits.http_max_conns_per_client`).
 */
const most = 100;

/** The services that `fetch` was asked for, each with a balancer and a budget of its own. */
export class Destinations {
  readonly #make: (service: string) => Balancer;
  readonly #byName = new Map<string, Destination>();

  constructor(make: (service: string) => Balancer) {
    this.#make = make;
  }

  get(service: string): Destination {
    const known = this.#byName.get(service);
    const found =
      known && !known.balancer.broken ? known : { balancer: this.#make(service), budget: new RetryBudget() };
    // Put at the end again: the first one is the one that was asked least lately.
    this.#byName.delete(service);
    this.#byName.set(service, found);
    for (const [oldest, { balancer }] of this.#byName) {
      if (this.#byName.size <= most) break;
      // Until Consul has answered them, they may be more.
      if (balancer === found.balancer || balancer.awaited) continue;
      this.#byName.delete(oldest);
      void balancer[Symbol.asyncDispose]();
    }
    return found;
  }

  async close(): Promise<void> {
    const all = [...this.#byName.values()];
    this.#byName.clear();
    await Promise.all(all.map(({ balancer }) => balancer[Symbol.asyncDispose]()));
  }
}
