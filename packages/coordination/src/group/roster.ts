import { isQuorateError } from '@quorate/core';
import type { ZooKeeper } from '@quorate/zookeeper';
import { WrongKindError } from '../errors/wrong-kind-error.ts';
import { childOf, lastSegment } from '../path.ts';
import { readAll } from '../watched/read-all.ts';
import type { Reading } from '../watched/touched.ts';
import { type Member, memberOf } from './member.ts';

/** The members of a group as last read, in the order in which they joined. */
export class Roster {
  readonly #zk: ZooKeeper;
  readonly #path: string;
  #members = new Map<string, Member>();

  constructor(zk: ZooKeeper, path: string) {
    this.#zk = zk;
    this.#path = path;
  }

  get members(): Member[] {
    return [...this.#members.values()];
  }

  /** Reads what has changed, and resolves with whether that concerns the members. */
  async read(reading: Reading, signal: AbortSignal | undefined): Promise<boolean> {
    if (reading === 'everything') {
      await this.#readAll(signal);
      return true;
    }
    const ids = [...reading].filter((path) => this.#isMember(path)).map(lastSegment);
    return await this.#readSome(ids, signal);
  }

  async #readAll(signal: AbortSignal | undefined): Promise<void> {
    const ids = await membersAt(this.#zk, this.#path, signal);
    const found: Member[] = [];
    await readAll(this.#zk, this.#reads(ids), {
      signal,
      each: (index, node) => {
        const member = node && 'data' in node && memberOf(this.#zk, this.#nodeOf(ids[index] as string), node);
        if (member) found.push(member);
      },
    });
    found.sort((a, b) => (a.token < b.token ? -1 : 1));
    this.#members = new Map(found.map((member) => [member.id, member]));
  }

  async #readSome(ids: readonly string[], signal: AbortSignal | undefined): Promise<boolean> {
    let changed = false;
    const joined: Member[] = [];
    await readAll(this.#zk, this.#reads(ids), {
      signal,
      each: (index, node) => {
        const id = ids[index] as string;
        const before = this.#members.get(id);
        const member = node && 'data' in node ? memberOf(this.#zk, this.#nodeOf(id), node) : undefined;
        if (!before && !member) return;
        changed = true;
        // Its place stays while it is the same member; under another token it is a new one.
        if (member && member.token === before?.token) this.#members.set(id, member);
        else this.#members.delete(id);
        if (member && member.token !== before?.token) joined.push(member);
      },
    });
    joined.sort((a, b) => (a.token < b.token ? -1 : 1));
    for (const member of joined) this.#members.set(member.id, member);
    return changed;
  }

  #reads(ids: readonly string[]): { readonly get: string }[] {
    return ids.map((id) => ({ get: this.#nodeOf(id) }));
  }

  #nodeOf(id: string): string {
    return childOf(this.#path, id);
  }

  #isMember(path: string): boolean {
    return path !== this.#path && path === childOf(this.#path, lastSegment(path));
  }
}

async function membersAt(zk: ZooKeeper, path: string, signal: AbortSignal | undefined): Promise<string[]> {
  try {
    const [, { names, stat }] = await Promise.all([zk.sync(path, { signal }), zk.children(path, { signal })]);
    checkGroup(path, stat);
    return names;
  } catch (error) {
    if (isQuorateError(error, 'no-node')) return [];
    throw error;
  }
}

/** Refuses a path at which something else is kept. */
export function checkGroup(
  path: string,
  { dataLength, ephemeralOwner }: { readonly dataLength: number; readonly ephemeralOwner: bigint },
): void {
  if (ephemeralOwner !== 0n) throw new WrongKindError(path, 'a group', 'an ephemeral node, which cannot have members');
  if (dataLength > 0) throw new WrongKindError(path, 'a group', `data of its own (${dataLength} bytes)`);
}
