import { InvalidArgumentError } from '@quorate/core';
import type { CallOptions, ZooKeeper } from '@quorate/zookeeper';
import { type AccessOptions, checkAccess } from './access.ts';
import { acquires } from './diagnostics.ts';
import { QueueFullError } from './errors/queue-full-error.ts';
import { checkPlace } from './place.ts';
import { Layout } from './queue/layout.ts';
import { itemPrefix } from './queue/order.ts';
import { Receipts } from './queue/receipts.ts';
import { json, type Serializer } from './queue/serializer.ts';
import { type Claimed, TakenItem } from './queue/taken-item.ts';
import { Taker } from './queue/taker.ts';
import { checkAcquireOptions } from './waiting/acquire-options.ts';
import { workUntilAborted } from './waiting/until-aborted.ts';
import { upToDate } from './waiting/up-to-date.ts';
import { patience, type WaitOptions } from './waiting/wait-options.ts';

const mostPriorities = 1_000;
const largestSize = 100_000;

export interface QueueOptions<T> extends AccessOptions {
  /** How many priorities there are: 1 to 1,000. Default 1: first in, first out. */
  readonly priorities?: number | undefined;
  /** `put` is refused when there are about this many items: 1 to 100,000. Default 10,000. */
  readonly maxSize?: number | undefined;
  /** How items become bytes. Default: JSON. */
  readonly serializer?: Serializer<T> | undefined;
}

export interface PutOptions extends CallOptions {
  /** 0 is taken first. Default: the last of the queue's priorities. */
  readonly priority?: number | undefined;
}

/**
 * Items that are taken one by one, each by one taker, and that no crash loses.
 *
 *     const queue = new Queue<{ ride: string }>(zk, '/taxi/refunds');
 *     await queue.put({ ride: 'r-17' });
 *
 *     await using item = await queue.take();
 *     await refund(item.data, { signal: item.signal });
 *     await item.done();                        // without this, the block gives the item back
 *
 * An item is taken by a claim that lives as long as the session: when the taker dies, others get the item, at the place it
 * had. A taken item is a lease: `signal` aborts when the claim is no longer certain, `token` is for the resource to check,
 * and `guard` puts the claim into a transaction. Order: by priority, then by arrival, among the items that nobody has.
 *
 * - At least once: a taker that dies, or is cut off, after the work and before `done()` leaves its item to another, which
 *   does it again. Make the work idempotent, or do it in a transaction guarded by the item. `attempt` tells how often it
 *   has been taken.
 * - One bad item at the head is taken again and again: look at `attempt`, and `done()` it after putting it elsewhere.
 * - A `put` whose reply is lost is put exactly once. It is ambiguous only when the session ends, the wait is aborted, or
 *   somebody deletes the queue or our node in its `puts`, before that is known.
 * - `maxSize` is looked at before a put, so that puts at once may exceed it, by as many as there are.
 * - Takers stand in line, each waiting for the one before it, so that one item wakes one taker. A taker that is stopped
 *   without being dead holds up those behind it until its session is over.
 * - Each take lists all items, with some 20 bytes for each: ZooKeeper makes a small queue, of thousands. Items are kept in
 *   the memory of all servers, and limited to what one request can carry (1 MB).
 * - An item costs 2 requests to put, some 8 to take and 1 to finish, however many there are and however many wait. The
 *   first put of a session costs one more, and so do those at once beyond 8.
 */
export class Queue<T = unknown> {
  readonly path: string;
  readonly #zk: ZooKeeper;
  readonly #layout: Layout;
  readonly #priorities: number;
  readonly #maxSize: number;
  readonly #serializer: Serializer<T>;

  constructor(zk: ZooKeeper, path: string, options: QueueOptions<T> = {}) {
    checkPlace(zk, path);
    const { priorities = 1, maxSize = 10_000, serializer = json, acl } = options;
    checkWhole('priorities', priorities, 1, mostPriorities);
    checkWhole('maxSize', maxSize, 1, largestSize);
    if (typeof serializer?.encode !== 'function' || typeof serializer.decode !== 'function') {
      throw new InvalidArgumentError('serializer', 'an object with the functions encode and decode');
    }
    this.#zk = zk;
    this.path = path;
    this.#layout = new Layout(zk, path, checkAccess(acl));
    this.#priorities = priorities;
    this.#maxSize = maxSize;
    this.#serializer = serializer;
  }

  async put(item: T, options: PutOptions = {}): Promise<void> {
    await this.putMany([item], options);
  }

  /** Puts all of them, one behind the other with nothing between, or none. */
  async putMany(items: readonly T[], { priority = this.#priorities - 1, signal }: PutOptions = {}): Promise<void> {
    if (!Array.isArray(items)) throw new InvalidArgumentError('items', 'a list of items');
    checkWhole('priority', priority, 0, this.#priorities - 1);
    checkAcquireOptions({ signal });
    const encoded = items.map((item) => this.#encode(item));
    if (encoded.length === 0) return;
    const name = `${this.#layout.items}/${itemPrefix(priority)}`;
    await this.#layout.on(async () => {
      const receipts = Receipts.of(this.#zk, this.#layout);
      const receipt = receipts.take();
      try {
        // A new receipt costs a request, and no round trip of its own.
        const [stat] = await Promise.all([this.#zk.exists(this.#layout.items, { signal }), receipt.ready(signal)]);
        const size = stat?.numChildren ?? 0;
        if (size + encoded.length > this.#maxSize) throw new QueueFullError(this.path, size, this.#maxSize);
        await receipt.commit((transaction) => {
          for (const bytes of encoded)
            transaction.create(name, bytes, { mode: 'persistent-sequential', acl: this.#layout.acl });
        }, signal);
      } finally {
        receipts.keep(receipt);
      }
    }, signal);
  }

  /** Resolves with the first item that nobody else has, as soon as there is one and it is this taker's turn. */
  async take(options: WaitOptions = {}): Promise<TakenItem<T>> {
    using limit = patience(options);
    const { signal } = limit;
    signal?.throwIfAborted();
    const take = (): Promise<Claimed> =>
      this.#layout.on(() => new Taker(this.#zk, this.#layout, signal).take(), signal);
    const traced = acquires.hasSubscribers;
    const taking = traced ? acquires.tracePromise(take, { path: this.path, what: 'an item of a queue' }) : take();
    const taken = taking.then((claimed) => new TakenItem(this.#zk, claimed, this.#serializer));
    return await workUntilAborted(signal, taken, (item) => void item[Symbol.asyncDispose]());
  }

  /** How many items there are, those that are taken and not done included. */
  async size({ signal }: CallOptions = {}): Promise<number> {
    const { items } = this.#layout;
    const stat = await upToDate(this.#zk, items, () => this.#zk.exists(items, { signal }), signal);
    return stat?.numChildren ?? 0;
  }

  #encode(item: T): Uint8Array | string {
    let bytes: unknown;
    try {
      bytes = this.#serializer.encode(item);
    } catch (cause) {
      throw new InvalidArgumentError('item', `something that the serializer can encode (${cause})`);
    }
    if (typeof bytes === 'string' || bytes instanceof Uint8Array) return bytes;
    throw new InvalidArgumentError('serializer', 'an encode that returns a Uint8Array or a string', typeof bytes);
  }
}

function checkWhole(argument: string, value: unknown, least: number, most: number): void {
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) return;
  throw new InvalidArgumentError(argument, `a whole number from ${least} to ${most}`, value);
}
