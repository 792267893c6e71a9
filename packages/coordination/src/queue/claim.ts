import { isQuorateError, retry } from '@quorate/core';
import type { CallOptions, State, Transaction, ZooKeeper } from '@quorate/zookeeper';
import { leaseEnds } from '../diagnostics.ts';
import { type LeaseEnd, LeaseEndedError } from '../errors/lease-ended-error.ts';
import type { Lease } from '../lease/lease.ts';
import { Pulse } from '../lease/pulse.ts';
import { settled } from '../line/waiting.ts';
import { insist } from '../waiting/insist.ts';
import { NextChange } from '../waiting/next-change.ts';
import { workUntilAborted } from '../waiting/until-aborted.ts';
import { upToDate } from '../waiting/up-to-date.ts';

/** Where a claim is. Its own node has a name that nobody else ever uses: who finds it knows whose it is. */
export interface ClaimPaths {
  readonly item: string;
  /** The same for all who want the item, so that one of them has it. */
  readonly claim: string;
  /** Below the item, by the claim's id. */
  readonly own: string;
}

export interface Claiming {
  readonly paths: ClaimPaths;
  readonly token: bigint;
  readonly change: NextChange;
  /** When it was asked for. */
  readonly provenAt: number;
}

/** The right to an item, as long as the session lives. */
export class Claim implements Lease {
  readonly paths: ClaimPaths;
  readonly token: bigint;
  readonly #zk: ZooKeeper;
  readonly #ended = new AbortController();
  readonly #forget: () => void;
  readonly #forgotten = new AbortController();
  #change: NextChange;
  /** Set once it is known, or decided, what becomes of the item. */
  #fate: 'done' | 'given back' | 'lost' | undefined;
  #isLost = false;
  #finishing: Promise<void> | undefined;
  /** Somebody has asked for it, or its node is gone. */
  #isLetGo = false;
  #lettingGo: Promise<void> | undefined;
  /** A reply about the item's end was lost: it may be done already. */
  #doubt = false;

  /** The claim has been made, and `change` watches its own node. */
  constructor(zk: ZooKeeper, { paths, token, change, provenAt }: Claiming) {
    this.#zk = zk;
    this.paths = paths;
    this.token = token;
    this.#change = change;
    const changed = (state: State): void => {
      if (state === 'suspended') this.#end('suspended');
    };
    const lost = (): void => {
      this.#end('lost', zk.lost.reason);
      this.#settle('lost');
    };
    const calm = Pulse.of(zk).hold(provenAt, () => this.#end('suspended'));
    this.#forget = () => {
      calm();
      this.#forgotten.abort(settled);
      this.#change[Symbol.dispose]();
      zk.off('state', changed);
      zk.lost.removeEventListener('abort', lost);
    };
    zk.on('state', changed);
    zk.lost.addEventListener('abort', lost, { once: true });
    if (zk.lost.aborted) lost();
    else if (zk.state === 'suspended') changed('suspended');
    this.#watch().catch((error) => this.#missing(error));
  }

  get signal(): AbortSignal {
    // Asks the clock: a process that was stopped must not find its lease in order before its timers have run.
    void this.#zk.state;
    Pulse.of(this.#zk).check();
    return this.#ended.signal;
  }

  guard(transaction: Transaction): Transaction {
    this.signal.throwIfAborted();
    return transaction.check(this.paths.own);
  }

  /** Removes the item for good. Once it has resolved the item is gone, and no other taker has done it. */
  async done({ signal }: CallOptions = {}): Promise<void> {
    if (this.#fate === 'done') return;
    if (this.#fate || this.#isLetGo) throw this.#tooLate(this.#isLost ? 'lost' : 'released');
    signal?.throwIfAborted();
    this.#finishing ??= this.#finish().finally(() => {
      this.#finishing = undefined;
    });
    await workUntilAborted(signal, this.#finishing);
  }

  async release({ signal }: CallOptions = {}): Promise<void> {
    if (this.#fate === 'done') return;
    this.#end('released');
    await workUntilAborted(signal, this.#letGo());
  }

  /** Like `release`, but a server that refuses to delete does not hide the error of the block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.release().catch(() => undefined);
  }

  async #finish(): Promise<void> {
    for (;;) {
      try {
        await this.#ending().delete(this.paths.item).commit();
        return this.#settle('done');
      } catch (error) {
        const isAmbiguous = isQuorateError(error, 'ambiguous');
        if (!isAmbiguous && !isQuorateError(error, 'no-node')) throw error;
        this.#doubt ||= isAmbiguous;
        const left = await this.#whatIsLeft(error);
        if (left === 'nothing' && this.#doubt) return this.#settle('done');
        if (left !== 'claim') {
          this.#end('lost', error);
          await this.#giveBack();
          throw this.#tooLate('lost', error);
        }
      }
    }
  }

  async #whatIsLeft(doubt: unknown): Promise<'claim' | 'item' | 'nothing'> {
    const { own, item } = this.paths;
    try {
      const look = (): Promise<readonly unknown[]> => Promise.all([this.#zk.exists(own), this.#zk.exists(item)]);
      const [claimThere, itemThere] = await upToDate(this.#zk, item, look);
      if (claimThere) return 'claim';
      return itemThere ? 'item' : 'nothing';
    } catch {
      // The session is over: nobody can tell us any more.
      throw doubt;
    }
  }

  /** Gives the item back. Resolves when others can have it. What was refused may be tried again. */
  #letGo(): Promise<void> {
    this.#isLetGo = true;
    const begun = async (): Promise<void> => {
      await this.#finishing?.catch(() => undefined);
      await this.#giveBack();
    };
    this.#lettingGo ??= begun().catch((error) => {
      this.#lettingGo = undefined;
      throw error;
    });
    return this.#lettingGo;
  }

  async #giveBack(): Promise<void> {
    if (this.#fate) return;
    let fate: 'given back' | 'lost' = 'lost';
    await insist(this.#zk, async () => {
      try {
        await this.#ending().commit();
        fate = 'given back';
      } catch (error) {
        if (!isQuorateError(error, 'no-node')) throw error;
        await this.#withdraw();
      }
    });
    this.#settle(fate);
  }

  /** Somebody has deleted our own node. The other one keeps the item from everybody else: it goes as well. */
  async #withdraw(): Promise<void> {
    const { claim, own } = this.paths;
    await insist(this.#zk, async () => {
      try {
        const { data } = await upToDate(this.#zk, claim, () => this.#zk.get(claim));
        if (own.endsWith(`/${data.toString()}`)) await this.#zk.delete(claim);
      } catch (error) {
        if (!isQuorateError(error, 'no-node')) throw error;
      }
    });
  }

  #ending(): Transaction {
    return this.#zk.transaction().delete(this.paths.own).delete(this.paths.claim);
  }

  /** Sees to it that we hear when somebody else deletes our node. */
  async #watch(): Promise<void> {
    for (;;) {
      await this.#change.happened;
      if (this.#finishing || this.#isLetGo) return;
      // A member that is busy is no reason to stop watching.
      const options = { attempts: Number.POSITIVE_INFINITY, idempotent: true, min: 20, max: 1_000 };
      await retry(() => this.#watchAgain(), { ...options, signal: this.#forgotten.signal });
    }
  }

  async #watchAgain(): Promise<void> {
    this.#change[Symbol.dispose]();
    this.#change = new NextChange(this.#zk);
    await this.#zk.get(this.paths.own, this.#change.watched);
  }

  #missing(error: unknown): void {
    if (!isQuorateError(error, 'no-node') || this.#finishing || this.#isLetGo) return;
    this.#end('lost', error);
    this.#letGo().catch(() => undefined);
  }

  #settle(fate: 'done' | 'given back' | 'lost'): void {
    if (this.#fate) return;
    this.#fate = fate;
    this.#end('released');
    this.#forget();
    if (!leaseEnds.hasSubscribers) return;
    const { reason } = this.#ended.signal.reason as LeaseEndedError;
    leaseEnds.publish({ path: this.paths.item, token: this.token, reason });
  }

  #end(reason: LeaseEnd, cause?: unknown): void {
    this.#isLost ||= reason === 'lost';
    if (!this.#ended.signal.aborted) this.#ended.abort(this.#tooLate(reason, cause));
  }

  #tooLate(reason: LeaseEnd, cause?: unknown): LeaseEndedError {
    return new LeaseEndedError(this.paths.item, reason, { cause });
  }
}
