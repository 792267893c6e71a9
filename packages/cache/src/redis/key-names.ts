/**
 * What things are called in Redis. The part in braces decides the slot in a cluster, so an entry, its lease and
 * its fence are always on one node; and so is all that is shared: the clock, tags and versions.
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

  /** An entry. In a namespace all versions of a key are in one slot, because they share a fence. */
  entry(key: string, version?: string): string {
    return version === undefined ? this.#slot(key) : `${this.#slot(unversioned(key, version))}@${version}`;
  }

  /** The newest token of a key, whatever the version: a leader of the past may still move the namespace. */
  fence(key: string, version?: string): string {
    return `${this.#slot(version === undefined ? key : unversioned(key, version))}:fence`;
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

  #slot(key: string): string {
    return `${this.#prefix}:{${unambiguous(key)}}`;
  }
}

/** A key of a namespace, at a version. */
export const versioned = (namespace: string, version: string, key: string): string => `${namespace}@${version}:${key}`;

/** The same key without its version. Names of namespaces have no `@`. */
function unversioned(key: string, version: string): string {
  const at = key.indexOf('@') + 1;
  return key.slice(0, at) + key.slice(at + version.length);
}

/** A closing brace would end the part that decides the slot: in front, it would make it empty. */
function unambiguous(key: string): string {
  return key.includes('}') || key.includes('%') ? key.replaceAll('%', '%25').replaceAll('}', '%7D') : key;
}

export const leaseOf = (entry: string): string => `${entry}:lease`;
/** That a write has been done, for when the client sends it again. */
export const doneOf = (fence: string, write: string): string => `${fence}:${write}`;
