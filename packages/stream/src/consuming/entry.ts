import type { ReadRecord, TopicPartition } from '../driver/record.ts';
import type { Decoded } from '../topic/codec.ts';
import type { Output } from '../topic/prepared.ts';
import type { Step } from './progress.ts';

/** Why a message is given up. */
export interface Dead {
  readonly reason: string;
  readonly error: string;
}

const nothing: readonly Output[] = [];

/** A message between its arrival and its end. */
export class Entry implements Step {
  readonly record: ReadRecord;
  readonly size: number;
  readonly next: bigint;
  done = false;
  /** What its handler has published in a transaction. */
  outputs: readonly Output[] = nothing;
  decoded: Decoded | undefined = undefined;
  /** How often it has failed. */
  failures = 0;
  /** It is given up, and is a dead letter as soon as Kafka has taken it as one. */
  dead: Dead | undefined = undefined;
  /** Where it stood first, when it came through a topic for messages that are tried again later. */
  origin: (TopicPartition & { readonly offset: bigint }) | undefined = undefined;
  /** From when on it may be tried, when it came through such a topic: by `performance.now()`. */
  due: number | undefined = undefined;

  constructor(record: ReadRecord, size: number) {
    this.record = record;
    this.size = size;
    this.next = record.offset + 1n;
  }
}

/** What came of an attempt: it is done with; it is to be tried again after so many milliseconds; or it was broken off, and is for whoever has the partition next. */
export type Outcome = 'done' | 'given-back' | { readonly retryIn: number };
