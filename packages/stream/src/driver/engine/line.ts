import { deadline, startTimer, type Timer } from '@quorate/core';
import type { Wire, WireOptions, WireRequest } from '../wire.ts';
import { whenLate } from './late.ts';
import { LineEnded } from './line-ended.ts';
import { until } from './persist.ts';

export interface LineOptions {
  /** How long it may take until the connection is there, in milliseconds. */
  readonly connectTimeout: number;
  /** Called once, when its login ends soon: what is asked from then on goes by another. */
  readonly expiring: () => void;
  /** Called once, when it is of no use any more. */
  readonly ended: () => void;
}

/** Of the time for which a login holds. What leaves until then has the rest of it to arrive. */
const used = 0.8;

/** A connection to one broker, from the attempt to have one until it has ended. */
export class Line {
  /** Rejects with an error of the library, or with `LineEnded`. */
  readonly connected: Promise<void>;
  readonly #over = new AbortController();
  readonly #expiring: () => void;
  readonly #ended: () => void;
  readonly #waiting = new Set<(why: unknown) => void>();
  #wire: Wire | undefined;
  #expiry: Timer | undefined;
  #isExpiring = false;

  constructor(connect: (options: WireOptions) => Promise<Wire>, { connectTimeout, expiring, ended }: LineOptions) {
    this.#expiring = expiring;
    this.#ended = ended;
    this.connected = this.#connect(connect, connectTimeout);
    this.connected.catch(() => this.close());
  }

  /** Rejects when there is no answer within so many milliseconds, and the connection is given up then. */
  async send(request: WireRequest, within: number): Promise<Buffer> {
    await this.connected;
    this.#over.signal.throwIfAborted();
    const { promise: ended, reject } = Promise.withResolvers<never>();
    this.#waiting.add(reject);
    using _ = whenLate(within, () => this.close('no answer in time'));
    try {
      return await Promise.race([this.#wire?.send(request) ?? ended, ended]);
    } finally {
      this.#waiting.delete(reject);
      this.#closeWhenIdle();
    }
  }

  /** Whatever is under way fails at once. Idempotent. */
  close(why: string = 'the connection is closed'): void {
    this.#end(new LineEnded(why));
    for (const reject of this.#waiting) reject(this.#over.signal.reason);
    this.#wire?.close();
  }

  async #connect(connect: (options: WireOptions) => Promise<Wire>, connectTimeout: number): Promise<void> {
    using limit = deadline(connectTimeout, this.#over.signal);
    // The library says best what is wrong: what waits fails after it has.
    const onClosed = (why: Error = new LineEnded('the connection has ended')): void => {
      this.#end(why);
      setImmediate(() => this.close());
    };
    try {
      this.#wire = await until(connect({ onClosed, signal: limit.signal }), limit.signal);
      if (this.#over.signal.aborted) this.#wire.close();
      else this.#expireAfter(this.#wire.lifetime);
    } catch (error) {
      throw limit.signal.aborted && !this.#over.signal.aborted ? new LineEnded('no connection in time') : error;
    }
  }

  #expireAfter(lifetime: number | undefined): void {
    if (lifetime === undefined) return;
    const expire = (): void => {
      this.#isExpiring = true;
      this.#expiring();
      this.#closeWhenIdle();
    };
    this.#expiry = startTimer(used * lifetime, expire, { background: false });
  }

  /** What is under way has its answer first. */
  #closeWhenIdle(): void {
    if (!this.#isExpiring || this.#waiting.size > 0) return;
    // Who was given this line before is about to send.
    setImmediate(() => this.#waiting.size === 0 && this.close('the login ends'));
  }

  #end(why: Error): void {
    if (this.#over.signal.aborted) return;
    this.#expiry?.clear();
    this.#over.abort(why);
    this.#ended();
  }
}
