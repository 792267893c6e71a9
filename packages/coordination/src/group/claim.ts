import type { ZooKeeper } from '@quorate/zookeeper';

/** The nodes that joins of this process stand for, by session: so that two of them are never taken for one. */
const claims = new WeakMap<ZooKeeper, Map<string, Claim>>();

/** The right of one join, in one session, to a node. */
export class Claim {
  readonly #gone = Promise.withResolvers<void>();
  readonly #claimed: Map<string, Claim>;
  readonly #path: string;
  /** Whether it is on its way out: whoever wants the node next waits for `gone`. */
  leaving = false;
  /** Whether the node may have been created, and nobody knows. */
  doubtful = false;

  /** The claim that there is on a node. */
  static on(zk: ZooKeeper, path: string): Claim | undefined {
    return claims.get(zk)?.get(path);
  }

  constructor(zk: ZooKeeper, path: string) {
    this.#path = path;
    this.#claimed = claims.get(zk) ?? new Map();
    claims.set(zk, this.#claimed);
    this.#claimed.set(path, this);
  }

  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  release(): void {
    this.#claimed.delete(this.#path);
    this.#gone.resolve();
  }
}
