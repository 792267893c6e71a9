import { randomUUID } from 'node:crypto';
import type { Acl, ZooKeeper } from '@quorate/zookeeper';
import { remove } from '../line/removal.ts';
import type { Layout } from './layout.ts';
import { Receipt } from './receipt.ts';

/** Puts at once beyond this many make and remove a receipt each. */
const most = 8;

const ofSessions = new WeakMap<ZooKeeper, Map<string, Receipts>>();

/**
 * The receipts of a session for one queue and one access control list, however many objects stand for that: a receipt is a node,
 * and stays as long as the session. Whoever may change it can make a put believe that it has happened.
 */
export class Receipts {
  readonly #zk: ZooKeeper;
  readonly #path: string;
  readonly #acl: readonly Acl[] | undefined;
  /** Those that no put is using now. */
  readonly #free: Receipt[] = [];

  static of(zk: ZooKeeper, { puts: path, acl }: Layout): Receipts {
    const receiptsOf = ofSessions.get(zk) ?? new Map<string, Receipts>();
    ofSessions.set(zk, receiptsOf);
    const key = JSON.stringify([path, acl]);
    const receipts = receiptsOf.get(key) ?? new Receipts(zk, path, acl);
    receiptsOf.set(key, receipts);
    return receipts;
  }

  private constructor(zk: ZooKeeper, path: string, acl: readonly Acl[] | undefined) {
    this.#zk = zk;
    this.#acl = acl;
    this.#path = path;
  }

  take(): Receipt {
    return this.#free.pop() ?? new Receipt(this.#zk, `${this.#path}/${randomUUID()}`, this.#acl);
  }

  keep(receipt: Receipt): void {
    if (receipt.isReusable && this.#free.length < most) this.#free.push(receipt);
    else remove(this.#zk, receipt.path).catch(() => undefined);
  }
}
