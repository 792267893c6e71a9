import type { Acl, Created, Stat } from '@quorate/zookeeper';
import { notified, type WriteQuestion } from '@quorate/zookeeper/in-process';
import { lastSegment, parentOf } from '../path.ts';
import { type Change, put } from './change.ts';
import { type Node, statOf } from './node.ts';
import { accepted, demand } from './permissions.ts';
import { Refused } from './refused.ts';

export type Create = Extract<WriteQuestion, { kind: 'create' }>;

/** What a node takes besides its data and its path, roughly. */
const nodeSize = 500;

/** The nodes, and the rules by which servers change them. A change that is refused has done nothing that `undo` does not take back. */
export class Tree {
  readonly #nodes = new Map<string, Node>([['/', root()]]);
  readonly #ephemerals = new Map<bigint, Set<string>>();
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get size(): number {
    return this.#nodes.size;
  }

  get paths(): Iterable<string> {
    return this.#nodes.keys();
  }

  find(path: string): Node | undefined {
    return this.#nodes.get(path);
  }

  get(path: string): Node {
    const node = this.#nodes.get(path);
    if (!node) throw new Refused('noNode');
    return node;
  }

  ephemeralsOf(session: bigint): string[] {
    return [...(this.#ephemerals.get(session) ?? [])];
  }

  create(change: Change, { path: asked, data, acl, mode, ttl }: Create): Created {
    const parentPath = parentOf(asked);
    const kept = accepted(acl);
    const parent = this.get(parentPath);
    demand(parent.acl, 'create');
    const path = mode.endsWith('-sequential') ? asked + tenDigits(parent.born) : asked;
    if (this.#nodes.has(path)) throw new Refused('nodeExists');
    if (parent.owner !== 0n) throw new Refused('noChildrenForEphemerals');
    const { zxid, time } = change;
    const node: Node = {
      data,
      acl: kept,
      czxid: zxid,
      mzxid: zxid,
      pzxid: zxid,
      ctime: time,
      mtime: time,
      version: 0,
      aversion: 0,
      born: 0,
      owner: mode.startsWith('ephemeral') ? change.session : 0n,
      container: mode === 'container',
      ttl,
      children: new Set(),
    };
    this.#take(change, nodeSize + path.length + data.length);
    this.#attach(path, node);
    change.undo.push(() => this.#detach(path, node));
    put(change, parent, { born: (parent.born + 1) | 0, pzxid: zxid });
    change.events.push(
      { type: notified.created, path, acl: kept },
      { type: notified.children, path: parentPath, acl: parent.acl },
    );
    return { path, stat: statOf(node) };
  }

  set(change: Change, path: string, data: Buffer, version: number | undefined): Stat {
    const node = this.get(path);
    demand(node.acl, 'write');
    expect(node.version, version);
    this.#take(change, data.length - node.data.length);
    put(change, node, { data, mzxid: change.zxid, mtime: change.time, version: (node.version + 1) | 0 });
    change.events.push({ type: notified.changed, path, acl: node.acl });
    return statOf(node);
  }

  delete(change: Change, path: string, version: number | undefined): void {
    // In this order: who may not delete is not told either whether it is there.
    demand(this.get(parentOf(path)).acl, 'delete');
    const node = this.get(path);
    expect(node.version, version);
    this.remove(change, path, node);
  }

  /** Deletes without asking who may. */
  remove(change: Change, path: string, node: Node): void {
    if (node.children.size > 0) throw new Refused('notEmpty');
    const parentPath = parentOf(path);
    this.#detach(path, node);
    change.undo.push(() => this.#attach(path, node));
    this.#take(change, -(nodeSize + path.length + node.data.length));
    const parent = this.get(parentPath);
    put(change, parent, { pzxid: change.zxid });
    change.events.push(
      { type: notified.deleted, path, acl: node.acl },
      { type: notified.children, path: parentPath, acl: parent.acl },
    );
  }

  check(path: string, version: number | undefined): void {
    const node = this.get(path);
    demand(node.acl, 'read');
    expect(node.version, version);
  }

  setAcl(change: Change, path: string, acl: readonly Acl[], version: number | undefined): Stat {
    const kept = accepted(acl);
    const node = this.get(path);
    demand(node.acl, 'admin');
    expect(node.aversion, version);
    put(change, node, { acl: kept, aversion: (node.aversion + 1) | 0 });
    return statOf(node);
  }

  #attach(path: string, node: Node): void {
    this.#nodes.set(path, node);
    this.#nodes.get(parentOf(path))?.children.add(lastSegment(path));
    if (node.owner === 0n) return;
    const owned = this.#ephemerals.get(node.owner);
    if (owned) owned.add(path);
    else this.#ephemerals.set(node.owner, new Set([path]));
  }

  #detach(path: string, node: Node): void {
    this.#nodes.delete(path);
    this.#nodes.get(parentOf(path))?.children.delete(lastSegment(path));
    const owned = this.#ephemerals.get(node.owner);
    if (owned?.delete(path) && owned.size === 0) this.#ephemerals.delete(node.owner);
  }

  #take(change: Change, bytes: number): void {
    if (bytes > 0 && this.#bytes + bytes > this.#maxBytes) throw new Refused('quotaExceeded');
    this.#bytes += bytes;
    change.undo.push(() => {
      this.#bytes -= bytes;
    });
  }
}

function expect(version: number, expected: number | undefined): void {
  if (expected !== undefined && expected !== version) throw new Refused('badVersion');
}

/** As the servers write it: below 0, after two billion children, the sign is one of the ten. */
function tenDigits(count: number): string {
  return count < 0 ? `-${String(-count).padStart(9, '0')}` : String(count).padStart(10, '0');
}

function root(): Node {
  const acl: readonly Acl[] = [{ permissions: 'all', scheme: 'world', id: 'anyone' }];
  return {
    data: Buffer.alloc(0),
    acl,
    czxid: 0n,
    mzxid: 0n,
    pzxid: 0n,
    ctime: 0n,
    mtime: 0n,
    version: 0,
    aversion: 0,
    born: 0,
    owner: 0n,
    container: false,
    ttl: undefined,
    children: new Set(),
  };
}
