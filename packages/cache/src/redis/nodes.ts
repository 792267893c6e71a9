/// <reference path="./cluster-key-slot.d.ts" />
import slotOf from 'cluster-key-slot';
import type { Cluster, Redis } from 'ioredis';

/** One primary: whether it answers, and how far it has been heard. In a cluster there are several. */
export interface Node {
  /** It has not answered lately, and is not asked then. */
  away: boolean;
  /** A beat is on its way to it. */
  beating: boolean;
  /** All that was published on it before this moment of our clock has arrived. */
  heardAt: number;
}

const unknown = (): Node => ({ away: false, beating: false, heardAt: Number.NEGATIVE_INFINITY });

/** The primaries behind a client, by the keys that they have. */
export class Nodes {
  readonly #redis: Redis | Cluster;
  readonly #only: Node = unknown();
  readonly #byAddress = new Map<string, Node>();

  constructor(redis: Redis | Cluster) {
    this.#redis = redis;
  }

  /** Who has this key. */
  of(key: string): Node {
    if (!isCluster(this.#redis)) return this.#only;
    const address = this.#redis.slots[slotOf(`${this.#redis.options.keyPrefix ?? ''}${key}`)]?.[0];
    return address === undefined ? this.#only : this.#at(address);
  }

  /** All primaries there are now, each with a client that asks it alone. */
  all(): { readonly node: Node; readonly client: Redis }[] {
    if (!isCluster(this.#redis)) return [{ node: this.#only, client: this.#redis }];
    const primaries = this.#redis
      .nodes('master')
      .map((client) => ({ client, address: `${client.options.host}:${client.options.port}` }));
    const there = new Set(primaries.map(({ address }) => address));
    for (const address of this.#byAddress.keys()) if (!there.has(address)) this.#byAddress.delete(address);
    return primaries.map(({ client, address }) => ({ client, node: this.#at(address) }));
  }

  /**
   * All that was published on any of them before this moment has arrived. Where a connection has ended, the client has let go
   * of the node, which has its keys all the same.
   */
  get heardAt(): number {
    if (!isCluster(this.#redis)) return this.#only.heardAt;
    let oldest = Number.POSITIVE_INFINITY;
    let before: readonly string[] | undefined;
    // Neighbours have the same list: there are 16,384 slots, and few lists.
    for (const addresses of this.#redis.slots) {
      if (addresses !== before && addresses?.[0] !== undefined)
        oldest = Math.min(oldest, this.#at(addresses[0]).heardAt);
      before = addresses;
    }
    return oldest;
  }

  #at(address: string): Node {
    const known = this.#byAddress.get(address);
    if (known) return known;
    const made = unknown();
    this.#byAddress.set(address, made);
    return made;
  }
}

function isCluster(redis: Redis | Cluster): redis is Cluster {
  return redis.isCluster;
}
