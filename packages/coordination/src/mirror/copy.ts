import type { Stat } from '@quorate/zookeeper';
import { MirrorTooLargeError } from '../errors/mirror-too-large-error.ts';
import { childOf, lastSegment } from '../path.ts';

/**
 * A node as it was read. What its `Stat` says about children and ACL is left out: those change without notice.
 */
export interface MirroredNode {
  readonly data: Buffer;
  readonly stat: Pick<Stat, 'czxid' | 'mzxid' | 'ctime' | 'mtime' | 'version' | 'ephemeralOwner' | 'dataLength'>;
}

export interface Limits {
  readonly maxNodes: number;
  readonly maxBytes: number;
}

/** The nodes below a root and on it, and what lies below what. */
export class Copy {
  readonly #root: string;
  readonly #limits: Limits;
  readonly #nodes = new Map<string, MirroredNode>();
  /** By the path of the parent, also where that has not been read yet. */
  readonly #names = new Map<string, Set<string>>();
  #bytes = 0;

  constructor(root: string, limits: Limits) {
    this.#root = root;
    this.#limits = limits;
  }

  get size(): number {
    return this.#nodes.size;
  }

  get(path: string): MirroredNode | undefined {
    return this.#nodes.get(path);
  }

  /** Undefined where there is no node. */
  names(path: string): string[] | undefined {
    if (!this.#nodes.has(path)) return undefined;
    return [...(this.#names.get(path) ?? [])];
  }

  entries(): MapIterator<[string, MirroredNode]> {
    return this.#nodes.entries();
  }

  /** Whether it differs from what was there. */
  set(path: string, { data, stat }: { readonly data: Buffer; readonly stat: Stat }): boolean {
    const before = this.#nodes.get(path);
    if (before?.stat.mzxid === stat.mzxid && before.stat.czxid === stat.czxid) return false;
    const { maxNodes, maxBytes } = this.#limits;
    if (!before && this.size >= maxNodes) throw new MirrorTooLargeError(this.#root, 'maxNodes', maxNodes);
    this.#bytes += data.length - (before?.data.length ?? 0);
    if (this.#bytes > maxBytes) throw new MirrorTooLargeError(this.#root, 'maxBytes', maxBytes);
    const { czxid, mzxid, ctime, mtime, version, ephemeralOwner, dataLength } = stat;
    this.#nodes.set(path, { data, stat: { czxid, mzxid, ctime, mtime, version, ephemeralOwner, dataLength } });
    if (!before && path !== this.#root) this.#namesBelow(parentOf(path)).add(lastSegment(path));
    return true;
  }

  /** Takes out a node with all below it, and returns their paths, from the bottom up. */
  delete(path: string): string[] {
    const below = [path];
    // Grows as it goes. There may be very many, and very deep: neither calls nor arguments are as many.
    for (const parent of below) {
      for (const name of this.#names.get(parent) ?? []) below.push(childOf(parent, name));
    }
    return below.reverse().filter((each) => this.#deleteOne(each));
  }

  /** Whether there was one. What was below it is out already. */
  #deleteOne(path: string): boolean {
    this.#names.delete(path);
    const node = this.#nodes.get(path);
    if (!node) return false;
    this.#nodes.delete(path);
    this.#bytes -= node.data.length;
    const siblings = this.#names.get(parentOf(path));
    siblings?.delete(lastSegment(path));
    if (siblings?.size === 0) this.#names.delete(parentOf(path));
    return true;
  }

  #namesBelow(parent: string): Set<string> {
    const there = this.#names.get(parent);
    if (there) return there;
    const names = new Set<string>();
    this.#names.set(parent, names);
    return names;
  }
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')));
}
