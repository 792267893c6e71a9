import { isQuorateError } from '@quorate/core';
import type { Acl, CallOptions, NodeData, Transaction, ZooKeeper } from '@quorate/zookeeper';
import { DifferentNumberError } from './errors/different-number-error.ts';
import { WrongKindError } from './errors/wrong-kind-error.ts';
import { type Kind, markOf, purposeIn } from './used-for.ts';
import { onceBegun } from './waiting/once-begun.ts';
import { unlessMissing } from './waiting/unless-missing.ts';
import { isOvertaken, unlessOvertaken } from './waiting/unless-overtaken.ts';
import { upToDate } from './waiting/up-to-date.ts';

export interface AgreedOptions {
  readonly kind: Kind;
  /** What there is a number of, for errors. */
  readonly what: string;
  readonly acl: readonly Acl[] | undefined;
  /** What we say that it is, and make it where nobody has said anything yet. */
  readonly number: number;
  /** Refuses children that something else has there, before the node is written: it may not bear it. */
  readonly checkChildren: (names: readonly string[]) => void;
}

/** What belongs to a change: `prepare` comes first, each time it is tried, and `add` adds to its transaction. */
export interface Change {
  readonly prepare?: () => Promise<void>;
  readonly add?: (transaction: Transaction) => void;
}

/**
 * A number that all who use a path must agree on, kept in the data of its node by the first of them. Who has agreed follows
 * when it is changed; who comes and says another one is refused. Where another client keeps data of its own in the node,
 * nothing is stored and nothing checked.
 */
export class AgreedNumber {
  readonly #zk: ZooKeeper;
  readonly #path: string;
  readonly #options: AgreedOptions;
  #number: number;
  #said: number;
  /** The transaction that created the node on which we have agreed: on another one it is done anew. */
  #agreedOn: bigint | undefined;

  constructor(zk: ZooKeeper, path: string, options: AgreedOptions) {
    this.#zk = zk;
    this.#path = path;
    this.#options = options;
    this.#number = options.number;
    this.#said = options.number;
  }

  get number(): number {
    return this.#number;
  }

  get isAgreed(): boolean {
    return this.#agreedOn !== undefined;
  }

  /** Reads it, whatever we say: for who only looks on. */
  async look(options: CallOptions): Promise<void> {
    const node = await this.#read(options);
    this.#number = (node && this.#storedIn(node)) ?? this.#said;
  }

  /** Resolves with the node, as it was read. Rejects when another number is stored. */
  async agree({ signal }: CallOptions): Promise<NodeData> {
    for (;;) {
      signal?.throwIfAborted();
      const node = await this.#read({ signal });
      if (!node || this.#isVacant(node)) await this.#store(node, { signal });
      else if (await this.#isAccepted(node, { signal })) return node;
    }
  }

  /** Changes it for everybody, unless somebody else has changed it since we looked. */
  async change(number: number, { signal }: CallOptions, { prepare, add }: Change = {}): Promise<void> {
    await onceBegun({ idempotent: true }, async (begun) => {
      for (;;) {
        const node = await this.agree({ signal });
        const before = this.#storedIn(node);
        if (before === undefined) throw this.#wrongKind(`${node.data.length} bytes of data of another client`);
        await prepare?.();
        const transaction = this.#zk.transaction();
        transaction.set(this.#path, markOf(this.#options.kind, number), { version: node.stat.version });
        add?.(transaction);
        try {
          await transaction.commit({ signal });
        } catch (error) {
          if (signal?.aborted || !isOvertaken(error)) throw error;
          if (isQuorateError(error, 'ambiguous')) begun();
          const now = await this.#storedNow({ signal });
          if (now !== number && now !== undefined && now !== before) throw this.#different(now, number);
          if (now !== number) continue;
        }
        this.#number = number;
        this.#said = number;
        return;
      }
    });
  }

  async #store(node: NodeData | undefined, { signal }: CallOptions): Promise<void> {
    const { kind, acl, checkChildren } = this.#options;
    const data = markOf(kind, this.#said);
    if (!node) return await unlessOvertaken(this.#zk.create(this.#path, data, { acl, parents: true, signal }));
    const { version } = node.stat;
    await unlessOvertaken(
      this.#zk.children(this.#path, { signal }).then(({ names }) => {
        checkChildren(names);
        return this.#zk.set(this.#path, data, { version, signal });
      }),
    );
  }

  async #isAccepted(node: NodeData, options: CallOptions): Promise<boolean> {
    const { czxid } = node.stat;
    const stored = this.#storedIn(node) ?? this.#said;
    if (stored !== this.#said && czxid !== this.#agreedOn) {
      // Our member may not have heard yet that it has been changed.
      if ((await this.#storedNow(options)) === stored) throw this.#different(stored, this.#said);
      return false;
    }
    this.#number = stored;
    this.#said = stored;
    this.#agreedOn = czxid;
    return true;
  }

  async #storedNow(options: CallOptions): Promise<number | undefined> {
    const node = await upToDate(this.#zk, this.#path, () => this.#read(options), options.signal);
    return node && this.#storedIn(node);
  }

  #read({ signal }: CallOptions): Promise<NodeData | undefined> {
    return unlessMissing(this.#zk.get(this.#path, { signal }));
  }

  /** Whether nobody has said a number, and nobody keeps anything else there. */
  #isVacant(node: NodeData): boolean {
    return node.data.length === 0 || (purposeIn(node.data) !== undefined && this.#storedIn(node) === undefined);
  }

  /** Undefined when there is none, and when the data is another client's. */
  #storedIn({ data }: NodeData): number | undefined {
    const purpose = purposeIn(data);
    if (purpose && purpose.kind !== this.#options.kind) throw this.#wrongKind(`a ${purpose.kind}`);
    return purpose?.number;
  }

  #different(stored: number, said: number): DifferentNumberError {
    return new DifferentNumberError(this.#path, this.#options.what, { stored, said });
  }

  #wrongKind(found: string): WrongKindError {
    return new WrongKindError(this.#path, `a ${this.#options.kind.replace('-', ' ')}`, found);
  }
}
