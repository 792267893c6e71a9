import { checkNames, type Duration, InvalidArgumentError, isQuorateError, sleep } from '@quorate/core';
import type { Agent } from '../agent/agent.ts';
import { fields, text } from '../agent/shape.ts';
import { checkText } from '../arguments.ts';
import { milliseconds } from '../duration.ts';
import { SessionLostError } from '../errors/session-lost-error.ts';

export interface SessionOptions {
  /** For people. */
  readonly name?: string;
  /** How long it outlives its last sign of life: 10 s to 24 h, and the servers may take twice as long. Default 15 s. */
  readonly ttl?: Duration;
  /** What becomes of the keys it holds. Default `release`. */
  readonly behavior?: 'release' | 'delete';
  /** How long nobody gets the keys of a lost session, 0 to 60 s: time for its holder to notice. Default 15 s. */
  readonly lockDelay?: Duration;
  readonly signal?: AbortSignal;
}

/**
 * A session of Consul's: what holds keys. It is kept alive until it is disposed of.
 *
 * Hazard: holding a key is not mutual exclusion. Stop when `lost` aborts, and fence what matters with the key's index.
 */
export class Session implements AsyncDisposable {
  readonly id: string;
  /** Aborts with a `SessionLostError` when the session is over, by the servers' word or by our clock. */
  readonly lost: AbortSignal;
  readonly #agent: Agent;
  readonly #ttl: number;
  readonly #over = new AbortController();
  readonly #renewing = new AbortController();
  #destroyed: Promise<void> | undefined;

  static async create(agent: Agent, options: SessionOptions = {}): Promise<Session> {
    checkNames('options', options, ['name', 'ttl', 'behavior', 'lockDelay', 'signal']);
    const { name = 'quorate', behavior = 'release', signal } = options;
    checkText('name', name);
    const ttl = milliseconds('ttl', options.ttl ?? 15_000, 10_000);
    if (ttl > 86_400_000) throw new InvalidArgumentError('ttl', 'at most 24 h', options.ttl);
    const lockDelay = milliseconds('lockDelay', options.lockDelay ?? 15_000, 0);
    if (lockDelay > 60_000) throw new InvalidArgumentError('lockDelay', 'at most 60 s', options.lockDelay);
    if (behavior !== 'release' && behavior !== 'delete') {
      throw new InvalidArgumentError('behavior', 'release or delete', behavior);
    }
    const begun = performance.now();
    const { body } = await agent.ask<{ ID: string }>(
      {
        operation: `create session ${name}`,
        path: '/session/create',
        repeatable: false,
        shape: fields({ ID: text }),
        signal,
      },
      (client, call) =>
        client.session.create({ name, ttl: `${ttl}ms`, behavior, lockdelay: `${lockDelay}ms`, ...call }),
    );
    return new Session(agent, body.ID, ttl, begun);
  }

  private constructor(agent: Agent, id: string, ttl: number, begun: number) {
    this.#agent = agent;
    this.id = id;
    this.#ttl = ttl;
    this.lost = this.#over.signal;
    this.#keepAlive(begun).catch(() => undefined);
  }

  /** Ends it; what it holds is released or deleted at once. May be called twice; one that failed is tried again. */
  destroy(): Promise<void> {
    this.#destroyed ??= this.#destroy().catch((error) => {
      this.#destroyed = undefined;
      throw error;
    });
    return this.#destroyed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.destroy().catch(() => undefined);
  }

  async #destroy(): Promise<void> {
    this.#renewing.abort();
    this.#lose('it was destroyed');
    const ask = { operation: `destroy session ${this.id}`, path: '/session/destroy', writes: true };
    await this.#agent.ask(ask, (client, call) => client.session.destroy({ id: this.id, ...call }));
  }

  async #keepAlive(begun: number): Promise<void> {
    const { signal } = this.#renewing;
    let renewed = begun;
    for (;;) {
      await sleep(this.#ttl / 3, { signal, background: true });
      const asked = performance.now();
      try {
        const ask = { operation: `renew session ${this.id}`, path: '/session/renew', writes: true, signal };
        const timeout = Math.max(100, renewed + this.#ttl - asked);
        await this.#agent.ask({ ...ask, timeout, background: true }, (client, call) =>
          client.session.renew({ id: this.id, ...call }),
        );
        renewed = asked;
      } catch (error) {
        signal.throwIfAborted();
        if (isQuorateError(error, 'not-found')) return this.#lose('Consul no longer knows it');
      }
      if (performance.now() - renewed >= this.#ttl) return this.#lose(`it could not be renewed for ${this.#ttl} ms`);
    }
  }

  #lose(why: string): void {
    if (!this.lost.aborted) this.#over.abort(new SessionLostError(this.id, why));
  }
}
