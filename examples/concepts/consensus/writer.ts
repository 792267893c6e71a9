import { deadline, isQuorateError, sleep } from '@quorate/core';
import type { History, Seeded } from '@quorate/testbed';
import { connect, type ZooKeeper } from '@quorate/zookeeper';

/** Where the writers write: one node for each entry. */
export const ledger = '/ledger';

/** How long a writer waits for an acknowledgement, in milliseconds. */
const patience = 700;

/** After a write that failed: give the servers a moment, in milliseconds. */
const recovery = 100;

export interface WriterOptions {
  readonly name: string;
  /** All servers: which one it talks to is not its business. */
  readonly url: string;
  readonly history: History;
  readonly chance: Seeded;
  /** Aborts what is under way. */
  readonly signal: AbortSignal;
}

/** A client that writes one entry after the other, and notes what it was told about each. */
export class Writer implements Disposable {
  readonly name: string;
  readonly #options: WriterOptions;
  #session: ZooKeeper | undefined;
  #written = 0;

  constructor(options: WriterOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** Until `enough` aborts. The write under way is finished first. */
  async work(enough: AbortSignal): Promise<void> {
    while (!enough.aborted) {
      const pause = (await this.#write()) ? this.#options.chance.integer(5, 40) : recovery;
      await sleep(pause, { signal: enough }).catch(() => undefined);
    }
  }

  async #write(): Promise<boolean> {
    this.#written += 1;
    const value = `${this.name}-${this.#written}`;
    const { history, signal } = this.#options;
    using limit = deadline(patience, signal);
    try {
      await history.run(this.name, 'add', { key: ledger, value }, () => this.#create(value, limit.signal), {
        // When the client knows that nothing has left it, nothing has happened. All else may have.
        failed: (error) => !isQuorateError(error, 'ambiguous'),
      });
      return true;
    } catch {
      this[Symbol.dispose]();
      return false;
    }
  }

  async #create(value: string, signal: AbortSignal): Promise<void> {
    this.#session ??= await connect(this.#options.url, { sessionTimeout: 4_000, signal });
    await this.#session.create(`${ledger}/${value}`, '', { parents: true, signal });
  }

  /** Gives up the session without a word to the servers: they may be out of reach. */
  [Symbol.dispose](): void {
    this.#session?.close({ signal: AbortSignal.abort() }).catch(() => undefined);
    this.#session = undefined;
  }
}

/** Every entry that somebody sees who connects anew. */
export async function readLedger(url: string, signal: AbortSignal): Promise<string[]> {
  await using zk = await connect(url, { signal });
  await zk.sync(ledger, { signal });
  try {
    // Not without the await: the session ends with this block.
    return [...(await zk.children(ledger, { signal })).names];
  } catch (error) {
    // Nobody has written to the server that was asked. Among servers that agree this does not happen.
    if (isQuorateError(error, 'no-node')) return [];
    throw error;
  }
}
