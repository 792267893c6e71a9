import type { Transaction } from '@quorate/zookeeper';
import { LeaseEndedError } from '../errors/lease-ended-error.ts';
import { workUntilAborted } from '../waiting/until-aborted.ts';
import type { Hold } from './hold.ts';
import type { Lease } from './lease.ts';

/** A lease on a hold, beside others perhaps. */
export class HeldLease implements Lease {
  readonly #hold: Hold;
  readonly #controller = new AbortController();
  #released: Promise<void> | undefined;

  constructor(hold: Hold) {
    this.#hold = hold;
    hold.add(this);
  }

  get token(): bigint {
    return this.#hold.token;
  }

  get signal(): AbortSignal {
    // A process that was stopped must not read "held" before its timers have run.
    void this.#hold.ended;
    return this.#controller.signal;
  }

  guard(transaction: Transaction): Transaction {
    if (this.#released || this.#hold.isMoving) throw new LeaseEndedError(this.#hold.path, 'released');
    const { ended } = this.#hold;
    // Asked for is still held: whoever is asked may finish what was begun.
    if (ended && ended.reason !== 'revoked') throw ended;
    return transaction.check(this.#hold.node);
  }

  async release({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    if (!this.#released) {
      const reason = new LeaseEndedError(this.#hold.path, 'released');
      this.end(reason);
      this.#released = this.#hold.drop(this, reason);
    }
    await workUntilAborted(signal, this.#released);
  }

  /** Only the first reason counts. */
  end(reason: LeaseEndedError): void {
    this.#controller.abort(reason);
  }

  /** Whether it is one of this hold's, and which. */
  static holdOf(lease: unknown): Hold | undefined {
    return lease instanceof HeldLease && !lease.#released ? lease.#hold : undefined;
  }

  /** Like `release`, but a server that refuses does not hide the error of the block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.release().catch(() => undefined);
  }
}
