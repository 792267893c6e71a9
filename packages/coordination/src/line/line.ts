import { setImmediate as turn } from 'node:timers/promises';
import { doubtful, isQuorateError } from '@quorate/core';
import type { Acl, Created, ReadOptions, ZooKeeper } from '@quorate/zookeeper';
import { type AccessOptions, checkAccess } from '../access.ts';
import { WrongKindError } from '../errors/wrong-kind-error.ts';
import { checkSession } from '../given-session.ts';
import { proof } from '../lease/proof.ts';
import { tokenOf } from '../lease/token.ts';
import { childOf, lastSegment } from '../path.ts';
import { onceBegun } from '../waiting/once-begun.ts';
import type { Contender } from './contender.ts';
import { contendersOf, type Kind } from './kind.ts';
import { remove } from './removal.ts';
import { connected, departed, untilChange } from './waiting.ts';

/** How to stand in line. */
export interface Entry {
  readonly mark: string;
  readonly data: Uint8Array | string;
  readonly signal: AbortSignal | undefined;
  /** Told how many are ahead, whenever it is looked. */
  readonly onAhead?: ((count: number) => void) | undefined;
}

/** Our node, once it is our turn. */
export interface Place {
  readonly path: string;
  readonly token: bigint;
  /** When something was asked for that the leader of the ensemble has answered since: our session was alive then. */
  readonly provenAt: number;
}

/** Our node, and the list if it travelled with it. */
interface Joined {
  readonly created: Created;
  /** When the node was asked for. */
  readonly askedAt: number;
  readonly listed: Promise<readonly Contender[]> | undefined;
}

/**
 * A line of contenders: ephemeral sequential nodes below one path. What it rests on:
 * - Answers come in order, so creating a node and listing can travel together, and the list contains the node.
 * - A list that contains our node contains all who came before us; nobody gets in front of us later.
 * - An event only says that it is time to look again.
 * - What our member of the ensemble tells may be old: it may have been cut off from the leader since, and our session be
 *   as good as over. Only the leader can say that it lives.
 */
export class Line {
  readonly zk: ZooKeeper;
  readonly path: string;
  readonly kind: Kind;
  readonly acl: readonly Acl[] | undefined;
  /** The list as it was seen last, to guess from who our predecessor will be. */
  #seen: readonly Contender[] = [];

  constructor(zk: ZooKeeper, path: string, kind: Kind, { acl }: AccessOptions = {}) {
    checkSession(zk);
    this.zk = zk;
    this.path = path;
    this.kind = kind;
    this.acl = checkAccess(acl);
  }

  /** Resolves with our node when it is our turn. When it rejects, our node is gone or on its way out. */
  async enter(entry: Entry): Promise<Place> {
    return await onceBegun({ idempotent: true }, async (begun) => {
      for (;;) {
        const joined = await this.#join(entry, this.#mayGuess);
        begun();
        try {
          const token = tokenOf(this.zk, this.path, joined.created.stat);
          const provenAt = await this.#turn(joined, entry);
          if (provenAt !== undefined) return { path: joined.created.path, token, provenAt };
        } catch (error) {
          this.leave(joined.created.path).catch(() => undefined);
          throw error;
        }
        // Somebody has deleted our node. We held nothing yet, so: to the end of the line.
      }
    });
  }

  /** Our node, if it is our turn at once; otherwise nothing is left of it. */
  async enterAtOnce(entry: Entry): Promise<Place | undefined> {
    const { created, askedAt, listed } = await this.#join(entry, false);
    try {
      const token = tokenOf(this.zk, this.path, created.stat);
      const ahead = await this.#ahead(created, await listed, entry.signal);
      const turn = ahead && this.kind.waitsFor(entry.mark, ahead) === undefined;
      if (turn && this.zk.state === 'connected') return { path: created.path, token, provenAt: askedAt };
    } catch (error) {
      this.leave(created.path).catch(() => undefined);
      throw doubtful(error, { idempotent: true });
    }
    await this.leave(created.path);
    return undefined;
  }

  /** Resolves when our node is gone, or our session is. */
  leave(node: string): Promise<void> {
    return remove(this.zk, node);
  }

  /** Who stands in line, in order of arrival. */
  async list(signal?: AbortSignal | undefined): Promise<readonly Contender[]> {
    this.#seen = await this.#contenders({ signal });
    return this.#seen;
  }

  async #contenders(options: ReadOptions): Promise<readonly Contender[]> {
    const children = await this.zk.children(this.path, options);
    const contenders = contendersOf(this.path, this.kind, children);
    await this.kind.seen?.(children.stat, options.signal);
    return contenders;
  }

  /** Who waits for anybody to leave needs the list: the one that came just before it may be the last to go. */
  get #mayGuess(): boolean {
    return !this.kind.anyMayLeave && this.#seen.length > 1;
  }

  /** Where there was a crowd last time, we will wait anyway: then the list need not travel with the node. */
  async #join({ mark, data, signal }: Entry, crowded: boolean): Promise<Joined> {
    for (;;) {
      const askedAt = performance.now();
      const creating = this.zk.create(childOf(this.path, mark), data, {
        mode: 'ephemeral-sequential',
        acl: this.acl,
        signal,
      });
      const listed = crowded ? undefined : this.list(signal);
      // Whatever comes of the list is of interest only when there is a node.
      listed?.catch(() => undefined);
      try {
        return { created: await creating, askedAt, listed };
      } catch (error) {
        if (isQuorateError(error, 'no-children-for-ephemerals')) {
          throw new WrongKindError(this.path, this.kind.what, 'an ephemeral node');
        }
        if (!isQuorateError(error, 'no-node')) throw error;
      }
      await this.createPath(signal);
    }
  }

  /** Like Curator's, it is a container: the servers remove it when nobody has stood in line for a while. */
  async createPath(signal: AbortSignal | undefined): Promise<void> {
    const options = { acl: this.acl, parents: true, signal };
    try {
      await this.zk.create(this.path, '', { ...options, mode: 'container' }).catch((error) => {
        // A client that has no containers: then it stays.
        if (isQuorateError(error, 'unsupported')) return this.zk.create(this.path, '', options);
        throw error;
      });
    } catch (error) {
      // Somebody else was faster; or the reply is lost, and the next attempt will tell.
      if (!isQuorateError(error, 'node-exists') && !isQuorateError(error, 'ambiguous')) throw error;
    }
  }

  /** Waits until it is our turn, and resolves with when our session was last proven alive; undefined when our node is gone. */
  async #turn({ created, askedAt, listed }: Joined, { mark, signal, onAhead }: Entry): Promise<number | undefined> {
    const { zk, kind } = this;
    if (!listed) await this.#guessed(created, mark, signal);
    let contenders = await listed;
    for (;;) {
      // Together with the list it takes no longer.
      const provenAt = proof(zk, this.path, askedAt, signal);
      // Of interest only when it is our turn.
      provenAt.catch(() => undefined);
      const ahead = await this.#ahead(created, contenders, signal);
      if (!ahead) return undefined;
      onAhead?.(ahead.length);
      const blocker = kind.waitsFor(mark, ahead);
      if (blocker) await this.#change(created, blocker, mark, signal);
      else if (zk.state === 'connected') return await provenAt;
      else await connected(zk, signal);
      // An event is not the condition: look again.
      contenders = undefined;
    }
  }

  async #change(created: Created, blocker: Contender, mark: string, signal: AbortSignal | undefined): Promise<void> {
    if (!this.kind.anyMayLeave) return this.#departed(blocker, signal);
    return untilChange(this.zk, signal, async (watch) => {
      const ahead = await this.#ahead(created, await this.#contenders(watch), signal);
      // Whoever left between the list and the watch will not be told of.
      if (!ahead || !this.kind.waitsFor(mark, ahead)) watch.watch?.({ type: 'children', path: this.path });
    });
  }

  /**
   * Whoever came just before us has often been seen already, behind us, the last time we looked: then it need not be
   * looked for, and a handover costs a request less. If it is there it is ahead of us; if it is not, we look.
   */
  async #guessed(created: Created, mark: string, signal: AbortSignal | undefined): Promise<void> {
    const own = Number(created.path.slice(-10));
    const before = this.#seen.filter(({ sequence }) => sequence === own - 1);
    const blocker = this.kind.waitsFor(mark, before);
    if (blocker) await this.#departed(blocker, signal);
  }

  async #departed(blocker: Contender, signal: AbortSignal | undefined): Promise<void> {
    await departed(this.zk, childOf(this.path, blocker.name), signal);
    // Whoever has left may be about to stand in line again. If the list that we ask for now has it, we need not look
    // for it when we come after it the next time.
    await turn();
  }

  /** Who is ahead of our node; undefined when our node is gone. */
  async #ahead(
    { path }: Created,
    contenders: readonly Contender[] | undefined,
    signal: AbortSignal | undefined,
  ): Promise<readonly Contender[] | undefined> {
    const name = lastSegment(path);
    const isOurs = (contender: Contender): boolean => contender.name === name;
    // A list that was asked for twice, over two connections, may be older than our node.
    const known = contenders?.some(isOurs) ? contenders : await this.#listOrNobody(signal);
    const index = known.findIndex(isOurs);
    return index === -1 ? undefined : known.slice(0, index);
  }

  /** The path itself may be gone: the servers remove it when nobody is left in line. */
  async #listOrNobody(signal: AbortSignal | undefined): Promise<readonly Contender[]> {
    try {
      return await this.list(signal);
    } catch (error) {
      if (isQuorateError(error, 'no-node')) return [];
      throw error;
    }
  }
}
