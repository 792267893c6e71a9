import type { Acl, CallOptions, Stat, ZooKeeper } from '@quorate/zookeeper';
import { AgreedNumber } from '../agreed-number.ts';
import { WrongKindError } from '../errors/wrong-kind-error.ts';
import { lineKindOf } from '../in-line.ts';
import { type Kind, permitKind } from '../line/kind.ts';
import { Line } from '../line/line.ts';
import { childOf } from '../path.ts';

interface PermitsOptions {
  readonly permits: number;
  readonly acl: readonly Acl[] | undefined;
}

/**
 * Who has a permit, in a line below `leases`, and how many there may be. Whoever lists the line sees by the transaction that
 * has last written its node whether the number has been changed since: to know costs no request.
 */
export class Permits {
  readonly line: Line;
  readonly #agreed: AgreedNumber;
  /** The last write of the line's node of which the number is known. */
  #knownAt: bigint | undefined;

  constructor(zk: ZooKeeper, path: string, { permits, acl }: PermitsOptions) {
    this.#agreed = new AgreedNumber(zk, path, {
      kind: 'semaphore',
      what: 'permits',
      acl,
      number: permits,
      checkChildren(names) {
        const other = lineKindOf(names);
        if (other) throw new WrongKindError(path, 'a semaphore', `the line of ${other}`);
      },
    });
    const count = (): number => this.#agreed.number;
    const seen = (stat: Stat, signal: AbortSignal | undefined): Promise<void> => this.#seen(stat, { signal });
    const kind: Kind = { ...permitKind(count), seen };
    this.line = new Line(zk, childOf(path, 'leases'), kind, { acl });
  }

  /** Before a permit is asked for: when another number is stored, nothing has been touched. */
  async agree(options: CallOptions): Promise<void> {
    if (!this.#agreed.isAgreed) await this.#agreed.agree(options);
  }

  /** Wakes whoever waits for a permit, so that it looks again. */
  async resize(permits: number, options: CallOptions): Promise<void> {
    const { path, acl } = this.line;
    await this.#agreed.change(permits, options, {
      prepare: () => this.line.createPath(options.signal),
      add: (transaction) =>
        transaction.set(path, '').create(childOf(path, 'resized'), '', { acl }).delete(childOf(path, 'resized')),
    });
  }

  async #seen({ mzxid }: Stat, options: CallOptions): Promise<void> {
    if (this.#knownAt !== undefined && mzxid <= this.#knownAt) return;
    if (this.#agreed.isAgreed) await this.#agreed.agree(options);
    else await this.#agreed.look(options);
    this.#knownAt = mzxid;
  }
}
