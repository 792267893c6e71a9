import { isQuorateError } from '@quorate/core';
import type { Acl, ZooKeeper } from '@quorate/zookeeper';
import { WrongKindError } from '../errors/wrong-kind-error.ts';
import { markOf, otherKind } from '../used-for.ts';
import { untilAborted } from '../waiting/until-aborted.ts';

/**
 * The nodes of a queue:
 *
 *     items/p<priority>.<number>           what was put; below it, an ephemeral node by the id of who has claimed it
 *     claims/p<priority>.<number>          ephemeral: the item is claimed. Data: the id
 *     takers/_c_<uuid>-taker.<number>      ephemeral: who waits for an item, in line
 *     puts/<uuid>                          ephemeral: tells a client whether a put whose reply was lost has happened
 */
export class Layout {
  readonly path: string;
  readonly items: string;
  readonly claims: string;
  readonly takers: string;
  readonly puts: string;
  readonly acl: readonly Acl[] | undefined;
  readonly #zk: ZooKeeper;
  #made: Promise<void> | undefined;

  constructor(zk: ZooKeeper, path: string, acl: readonly Acl[] | undefined) {
    this.#zk = zk;
    this.acl = acl;
    this.path = path;
    this.items = `${path}/items`;
    this.claims = `${path}/claims`;
    this.takers = `${path}/takers`;
    this.puts = `${path}/puts`;
  }

  /** Does `work` on a queue that is there: makes it when this is the first use, or when somebody has deleted it. */
  async on<T>(work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    for (;;) {
      signal?.throwIfAborted();
      // Shared by all who use it at once, so nobody's signal may end it.
      this.#made ??= this.#make();
      const made = this.#made;
      try {
        await untilAborted(signal, made);
        return await work();
      } catch (error) {
        if (this.#made === made) this.#made = undefined;
        if (!isQuorateError(error, 'no-node') || (await this.#isThere(signal))) throw error;
      }
    }
  }

  async #make(): Promise<void> {
    for (;;) {
      const version = await this.#kindVersion();
      if (version === 'made') return;
      try {
        if (version === 'nothing') await this.#zk.create(this.path, '', { acl: this.acl, parents: true });
        else await this.#fill(version);
      } catch (error) {
        // Somebody else makes it, or the reply was lost: the next look tells.
        const again = ['node-exists', 'no-node', 'bad-version', 'ambiguous'].some((code) =>
          isQuorateError(error, code),
        );
        if (!again) throw error;
      }
    }
  }

  /** All at once: a queue with its mark is whole. */
  async #fill(version: number): Promise<void> {
    const transaction = this.#zk.transaction().set(this.path, markOf('queue'), { version });
    for (const path of [this.items, this.claims, this.takers, this.puts])
      transaction.create(path, '', { acl: this.acl });
    await transaction.commit();
  }

  /** The version of an empty node that can be made into a queue, or what there is instead. */
  async #kindVersion(): Promise<number | 'made' | 'nothing'> {
    try {
      const { data, stat } = await this.#zk.get(this.path);
      if (data.toString() === markOf('queue')) return 'made';
      const other = stat.numChildren > 0 ? 'a node with children' : otherKind('queue', data);
      if (other) throw new WrongKindError(this.path, 'a queue', other);
      return stat.version;
    } catch (error) {
      if (isQuorateError(error, 'no-node')) return 'nothing';
      throw error;
    }
  }

  async #isThere(signal: AbortSignal | undefined): Promise<boolean> {
    return (await this.#zk.exists(this.items, { signal })) !== undefined;
  }
}
