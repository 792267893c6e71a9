/**
 * What things are called in Redis. The part in braces decides the slot in a cluster, so an entry, its lease, its waiters
 * and its fence are always on one node; and so is all that is shared: the clock, tags and versions.
 */
export class KeyNames {
  /** Changes of the whole cache are told here. */
  readonly channel: string;
  readonly clock: string;
  readonly #prefix: string;

  /** Channels do not get the client's own `keyPrefix` by themselves, keys do. */
  constructor(prefix: string, clientPrefix: string) {
    this.#prefix = prefix;
    this.channel = `${clientPrefix}${prefix}:changes`;
    this.clock = `${prefix}:{shared}:clock`;
  }

  entry(key: string): string {
    return `${this.#prefix}:{${unambiguous(key)}}`;
  }

  /** Where one process hears that what it waits for is there. */
  processChannel(id: string): string {
    return `${this.channel}:${id}`;
  }

  tag(tag: string): string {
    return `${this.#prefix}:{shared}:tag:${tag}`;
  }

  version(namespace: string): string {
    return `${this.#prefix}:{shared}:version:${namespace}`;
  }
}

/** A closing brace would end the part that decides the slot: in front, it would make it empty. */
function unambiguous(key: string): string {
  return key.includes('}') || key.includes('%') ? key.replaceAll('%', '%25').replaceAll('}', '%7D') : key;
}

export const leaseOf = (entry: string): string => `${entry}:lease`;
export const waitersOf = (entry: string): string => `${entry}:waiters`;
export const fenceOf = (entry: string): string => `${entry}:fence`;
