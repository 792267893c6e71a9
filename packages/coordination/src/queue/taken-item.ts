import type { NodeData, ZooKeeper } from '@quorate/zookeeper';
import { UnreadableItemError } from '../errors/unreadable-item-error.ts';
import { lastSegment } from '../path.ts';
import { Claim, type Claiming } from './claim.ts';
import { priorityOf } from './order.ts';
import type { Serializer } from './serializer.ts';

/** What a claim has brought. */
export interface Claimed extends Claiming {
  readonly item: NodeData;
}

/**
 * An item that is ours to work on: nobody else can take it as long as `signal` has not aborted. `done()` removes it for
 * good; releasing or disposing it without that gives it back, to the place in the queue that it had.
 */
export class TakenItem<T> extends Claim {
  readonly priority: number;
  /** How often it has been taken, this time included. More than once: somebody has had it before and did not finish. */
  readonly attempt: number;
  readonly bytes: Buffer;
  readonly #serializer: Serializer<T>;
  #data: { readonly value: T } | undefined;

  constructor(zk: ZooKeeper, { item, ...claiming }: Claimed, serializer: Serializer<T>) {
    super(zk, claiming);
    this.priority = priorityOf(lastSegment(claiming.paths.item));
    // Each claim adds a child, and its end removes one: both count.
    this.attempt = Math.ceil(item.stat.cversion / 2);
    this.bytes = item.data;
    this.#serializer = serializer;
  }

  /** What was put. Throws an `UnreadableItemError` when the serializer cannot read it. */
  get data(): T {
    if (!this.#data) {
      try {
        this.#data = { value: this.#serializer.decode(this.bytes) };
      } catch (cause) {
        throw new UnreadableItemError(this.paths.item, { cause });
      }
    }
    return this.#data.value;
  }
}
