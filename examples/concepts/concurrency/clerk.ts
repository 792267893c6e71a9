import { type Lease, Lock } from '@quorate/coordination';
import { isQuorateError, sleep } from '@quorate/core';
import type { History, Seeded } from '@quorate/testbed';
import { connect, type ZooKeeper } from '@quorate/zookeeper';
import { Counter } from './counter.ts';

/** What the clerks of a round must do to add. */
export interface Rules {
  /** Names the counter, and the lock. */
  readonly counter: string;
  /** Whether one must hold the lock to add. */
  readonly locked: boolean;
  /** Which requests show the till the token of the lease. */
  readonly token: 'never' | 'on writes' | 'on reads and writes';
}

export interface ClerkOptions {
  readonly name: string;
  readonly rules: Rules;
  readonly zookeeper: string;
  /** How long ZooKeeper waits for a client it hears nothing from, before it gives its lock to another; in milliseconds. */
  readonly sessionTimeout: number;
  readonly till: string;
  readonly history: History;
  readonly chance: Seeded;
  readonly signal?: AbortSignal;
  /** Called between the read and the write, after the last check. */
  readonly inBetween?: (number: number) => void | Promise<void>;
}

/** Adds to a counter: reads it, thinks, and writes back one more. Every add is written into the history. */
export class Clerk implements AsyncDisposable {
  readonly #options: ClerkOptions;
  readonly #counter: Counter;
  #session: ZooKeeper | undefined;

  constructor(options: ClerkOptions) {
    this.#options = options;
    this.#counter = new Counter(options.till, options.rules.counter);
  }

  /** Until that many adds are acknowledged: one that was refused is begun again, with a new lease. */
  async add(times: number): Promise<void> {
    for (let added = 0; added < times; ) {
      if (await this.#addOnce()) added += 1;
    }
  }

  async #addOnce(): Promise<boolean> {
    const { name, rules, history, signal } = this.#options;
    if (!rules.locked) return this.#change();
    const zk = await this.#zookeeper();
    const lock = new Lock(zk, `/locks/${rules.counter}`, { id: name });
    let lease: Lease;
    try {
      lease = await lock.acquire({ signal });
    } catch (error) {
      // On a busy machine the session may end before it is our turn.
      if (zk.lost.aborted) return false;
      throw error;
    }
    const held = history.held(name, rules.counter, lease.token);
    lease.signal.addEventListener('abort', () => held.released(), { once: true });
    try {
      return await this.#change(lease);
    } finally {
      // When the lock is lost there is nothing left to give back.
      await lease.release({ signal }).catch(() => undefined);
    }
  }

  async #change(lease?: Lease): Promise<boolean> {
    const { name, rules, history, chance, signal, inBetween } = this.#options;
    const token = rules.token === 'never' ? undefined : lease?.token;
    const input = { key: rules.counter, by: 1, token };
    const change = async (): Promise<number> => {
      const number = await this.#counter.read(rules.token === 'on reads and writes' ? token : undefined, signal);
      await sleep(chance.integer(1, 8), { signal });
      // A holder should check that it still holds the lock. Here everybody does, and it does not help.
      lease?.signal.throwIfAborted();
      await inBetween?.(number);
      await this.#counter.write(number + 1, token, signal);
      return number + 1;
    };
    // Either way nothing was written: the till refused it, or we did not ask.
    const failed = (error: unknown): boolean =>
      isQuorateError(error, 'stale-token') || (lease?.signal.aborted === true && error === lease.signal.reason);
    try {
      await history.run(name, 'add', input, change, { failed });
      return true;
    } catch (error) {
      if (failed(error)) return false;
      throw error;
    }
  }

  /** A session that is lost is lost for good: then a new one is needed. */
  async #zookeeper(): Promise<ZooKeeper> {
    if (this.#session && !this.#session.lost.aborted) return this.#session;
    const { zookeeper, sessionTimeout, signal } = this.#options;
    this.#session = await connect(zookeeper, { sessionTimeout, ...(signal && { signal }) });
    return this.#session;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session?.close({ signal: this.#options.signal });
  }
}
