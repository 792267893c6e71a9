import { deadline } from '@quorate/core';
import type { Wire, WireOptions, WireRequest } from '../wire.ts';
import { whenLate } from './late.ts';
import { LineEnded } from './line-ended.ts';
import { until } from './persist.ts';

export interface LineOptions {
  /** How long it may take until the connection is there, in milliseconds. */
  readonly connectTimeout: number;
  /** Called once, when it is of no use any more. */
  readonly ended: () => void;
}

/** A connection to one broker, from the attempt to have one until it has ended. */
export class Line {
  /** Rejects with an error of the library, or with `LineEnded`. */
  readonly connected: Promise<void>;
  readonly #over = new AbortController();
  readonly #ended: () => void;
  readonly #waiting = new Set<(why: unknown) => void>();
  #wire: Wire | undefined;

  constructor(connect: (options: WireOptions) => Promise<Wire>, { connectTimeout, ended }: LineOptions) {
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
    }
  }

  /** Whatever is under way fails at once. Idempotent. */
  close(why: string = 'the connection is closed'): void {
    this.#end(why);
    for (const reject of this.#waiting) reject(this.#over.signal.reason);
    this.#wire?.close();
  }

  async #connect(connect: (options: WireOptions) => Promise<Wire>, connectTimeout: number): Promise<void> {
    using limit = deadline(connectTimeout, this.#over.signal);
    // The library says best what is wrong: what waits fails after it has.
    const onClosed = (): void => {
      this.#end('the connection has ended');
      setImmediate(() => this.close());
    };
    try {
      this.#wire = await until(connect({ onClosed, signal: limit.signal }), limit.signal);
      if (this.#over.signal.aborted) this.#wire.close();
    } catch (error) {
      throw limit.signal.aborted && !this.#over.signal.aborted ? new LineEnded('no connection in time') : error;
    }
  }

  #end(why: string): void {
    if (this.#over.signal.aborted) return;
    this.#over.abort(new LineEnded(why));
    this.#ended();
  }
}
