import { isQuorateError } from '@quorate/core';
import { connect, type Stat, type ZooKeeper } from '@quorate/zookeeper';

export interface Node {
  readonly value: number;
  readonly version: number;
  readonly mzxid: bigint;
}

/** The server's word that nothing happened. Any other error leaves it open. */
const refusals = ['bad-version', 'no-node', 'node-exists'];

export function isRefusal(error: unknown): boolean {
  return refusals.some((code) => isQuorateError(error, code));
}

/** One session, in which no operation may take longer than a limit. */
export class SoakClient implements Disposable {
  readonly #zk: ZooKeeper;
  readonly #limit: number;

  /** After the barrier, a write, the server that this session talks to knows all that any session was told before. */
  static async open(url: string, barrier: string, limit: number): Promise<SoakClient> {
    const client = new SoakClient(await connect(url, { sessionTimeout: 3_000, timeout: limit }), limit);
    try {
      await client.create(barrier);
      await client.set(barrier, 0, -1);
      return client;
    } catch (error) {
      client[Symbol.dispose]();
      throw error;
    }
  }

  private constructor(zk: ZooKeeper, limit: number) {
    this.#zk = zk;
    this.#limit = limit;
  }

  get lost(): boolean {
    return this.#zk.lost.aborted;
  }

  async get(path: string): Promise<Node> {
    const { data, stat } = await this.#zk.get(path, { signal: this.#signal() });
    return node(Number(data), stat);
  }

  /** `version` -1: whatever it is. */
  async set(path: string, value: number, version: number): Promise<Node> {
    const expected = version === -1 ? {} : { version };
    return node(value, await this.#zk.set(path, String(value), { ...expected, signal: this.#signal() }));
  }

  /** With 0 in it; one that is there already is as good. */
  async create(path: string): Promise<void> {
    try {
      await this.#zk.create(path, '0', { signal: this.#signal() });
    } catch (error) {
      if (!isQuorateError(error, 'node-exists')) throw error;
    }
  }

  /** Leaves the session to the servers: they may be out of reach. */
  [Symbol.dispose](): void {
    this.#zk.close({ signal: AbortSignal.abort() }).catch(() => {});
  }

  #signal(): AbortSignal {
    return AbortSignal.timeout(this.#limit);
  }
}

function node(value: number, { version, mzxid }: Stat): Node {
  return { value, version, mzxid };
}
