import { backoff, deadline } from '@quorate/core';
import type { Asked } from '../errors/server-error.ts';
import { UnsupportedError } from '../errors/unsupported-error.ts';
import { isAtLeast, since } from '../protocol/since.ts';

/** How often it is asked when it does not answer. */
const attempts = 4;
/** For so long an answer without a version counts, in milliseconds. */
const pause = 60_000;
/** The same of no answer: a busy server, or a slow network, may give one soon. */
const shortPause = 1_000;

/** Asks it once, and resolves with what it says. */
export type Ask = (signal: AbortSignal) => Promise<string>;

/**
 * The version of the server of one connection. It is asked when it first matters, and anew on each connection: in an upgrade
 * that rolls, or behind one name, the next may be older. One that does not say it counts as the oldest.
 */
export class ServerVersion {
  readonly #server: string;
  readonly #ask: Ask;
  readonly #timeout: number;
  readonly #over = new AbortController();
  #known: string | undefined;
  /** Why it is not known, and until when that is not asked again. */
  #silence: { readonly why: string; readonly until: number; readonly answered: boolean } | undefined;
  #learning: Promise<void> | undefined;

  /** `known` is what its user says of it: then it is not asked. */
  constructor(server: string, { ask, timeout, known }: { ask: Ask; timeout: number; known: string | undefined }) {
    this.#server = server;
    this.#ask = ask;
    this.#timeout = timeout;
    this.#known = known;
  }

  /** Whether `refusal` need not wait for `learn`. */
  get isAsked(): boolean {
    return this.#known !== undefined || performance.now() < (this.#silence?.until ?? 0);
  }

  /** Resolves when it has been asked, whatever came of it. Never settles when the connection ends first: race it with that. */
  learn(): Promise<void> {
    this.#learning ??= this.#learn().finally(() => {
      this.#learning = undefined;
    });
    return this.#learning;
  }

  /** Why an operation must not be sent to this server; undefined when it may. */
  refusal({ operation, path, code }: Asked & { readonly code: number }): UnsupportedError | undefined {
    const needed = since.get(code);
    if (needed === undefined || (this.#known !== undefined && isAtLeast(this.#known, needed))) return undefined;
    const what = path === undefined ? operation : `${operation} ${path}`;
    const why =
      this.#known === undefined
        ? `it takes ZooKeeper ${needed}, and ${this.#server} does not say its version (${this.#silence?.why}). Allow srvr there (4lw.commands.whitelist), or give connect the option serverVersion`
        : `it takes ZooKeeper ${needed}, and ${this.#server} is ${this.#known}`;
    return new UnsupportedError(what, why, this.#known === undefined && this.#silence?.answered === false);
  }

  /** The connection has ended. */
  end(): void {
    this.#over.abort();
  }

  async #learn(): Promise<void> {
    using limit = deadline(this.#timeout, this.#over.signal);
    const { signal } = limit;
    const delays = backoff({ min: 50, max: 400 });
    let why = `no answer within ${Math.round(this.#timeout)} ms`;
    let answered = false;
    try {
      for (let attempt = 1; ; attempt += 1) {
        const answer = await this.#ask(signal).catch((error: Error) => {
          if (!signal.aborted) why = error.message;
          return '';
        });
        this.#known = /^Zookeeper version: (\d+\.\d+\.\d+)/m.exec(answer)?.[1];
        if (this.#known !== undefined) return;
        const [line = ''] = answer.split('\n', 1);
        if (line !== '') why = line;
        answered = line !== '';
        if (line !== '' || attempt === attempts) break;
        await delays.wait({ signal });
      }
    } catch {
      // There is no time left, or no connection that it would matter for.
    }
    if (this.#over.signal.aborted) await new Promise(() => undefined);
    this.#silence = { why, answered, until: performance.now() + (answered ? pause : shortPause) };
  }
}
