import type { Duration } from '@quorate/core';

/** What is published. */
export interface NewMessage<Value = unknown> {
  /** Messages of one key keep their order. Keys are text: a number is written in decimal. Without a key the order is left to chance. */
  readonly key?: string | number | bigint;
  readonly value: Value;
  /** Names must not begin with `quorate-`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** By which consumers know a message that comes a second time. Default: a random UUID. */
  readonly id?: string;
  /** The fencing token of whoever publishes, such as that of a lease: consumers can then drop what comes from a predecessor. */
  readonly fence?: bigint;
  /** Default: by the key, as Kafka's Java client does it; without a key in turn. */
  readonly partition?: number;
  /** Milliseconds since 1970. Default: now. */
  readonly timestamp?: number;
}

export interface PublishOptions {
  /** Ends the wait. A message that is on its way then is an `ambiguous` error, one that was not sent is not going to be. */
  readonly signal?: AbortSignal;
  /** The same after a time. Default: as long as the stream's `deliveryTimeout`. */
  readonly timeout?: Duration;
}

/** Where a message stands. */
export interface Published {
  readonly id: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
}

/** What a handler is given. */
export interface Message<Key = string | null, Value = unknown> {
  readonly key: Key;
  readonly value: Value;
  /** Given by whoever published it; undefined where others than this package did without. */
  readonly id: string | undefined;
  /** The fencing token of whoever published it. */
  readonly fence: bigint | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** 1 when it is tried for the first time by this process, 2 when it failed once, and so on. */
  readonly attempt: number;
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  /** Milliseconds since 1970, by the clock of whoever published it. */
  readonly timestamp: number;
}
