import { isQuorateError, type QuorateError } from '@quorate/core';
import type { Admin } from '../driver/admin.ts';
import { UnknownTopicError } from '../errors/unknown-topic-error.ts';

/** As for Kafka's own clients: so long may a topic that was enlarged be written to as before. */
const maxAge = 5 * 60_000;

interface Known {
  readonly leaders: readonly number[];
  readonly since: number;
}

/** How many partitions each topic has, and who leads them. */
export class Layout {
  readonly #admin: Admin;
  readonly #known = new Map<string, Known>();
  readonly #asking = new Map<string, Promise<Known>>();
  readonly #signal: AbortSignal;
  #trouble: QuorateError | undefined;

  constructor(admin: Admin, signal: AbortSignal) {
    this.#admin = admin;
    this.#signal = signal;
  }

  /** As far as is known; when that is old, it is asked for behind the caller's back. */
  known(topic: string): readonly number[] | undefined {
    const known = this.#known.get(topic);
    if (known && performance.now() - known.since > maxAge) this.#ask(topic).catch(() => {});
    return known?.leaders;
  }

  async of(topic: string): Promise<readonly number[]> {
    return this.known(topic) ?? (await this.#ask(topic)).leaders;
  }

  /** As it is now. */
  async fresh(topic: string): Promise<readonly number[]> {
    return (await this.#ask(topic)).leaders;
  }

  /** Something went wrong with the topic: who leads it may have changed. */
  renew(topic: string): void {
    this.#ask(topic).catch(() => {});
  }

  #ask(topic: string): Promise<Known> {
    const asking = this.#asking.get(topic) ?? this.#load(topic).finally(() => this.#asking.delete(topic));
    this.#asking.set(topic, asking);
    return asking;
  }

  /** Why no broker could be asked last; undefined when one could. */
  get trouble(): QuorateError | undefined {
    return this.#trouble;
  }

  async #load(topic: string): Promise<Known> {
    const leaders = await this.#admin.leaders(topic, this.#signal).catch((error: unknown) => {
      if (isQuorateError(error)) this.#trouble = error;
      throw error;
    });
    this.#trouble = undefined;
    if (leaders === undefined || leaders.length === 0) {
      this.#known.delete(topic);
      throw new UnknownTopicError(topic);
    }
    const known = { leaders, since: performance.now() };
    this.#known.set(topic, known);
    return known;
  }
}
