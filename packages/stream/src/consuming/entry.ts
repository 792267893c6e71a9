import type { ReadRecord, TopicPartition } from '../driver/record.ts';
import type { Decoded } from '../topic/codec.ts';
import type { Output } from '../topic/prepared.ts';
import type { Step } from './progress.ts';

/** Why a message is given up. */
export interface Dead {
  readonly reason: string;
  readonly error: string;
}

/** A message between its arrival and its end. */
export interface Entry {
  readonly record: ReadRecord;
  readonly step: Step;
  readonly size: number;
  /** Where it stood first. */
  origin: TopicPartition & { readonly offset: bigint };
  decoded: Decoded | undefined;
  /** How often it has failed. */
  failures: number;
  /** What its handler has published in a transaction. */
  outputs: readonly Output[];
  /** It is given up, and is a dead letter as soon as Kafka has taken it as one. */
  dead: Dead | undefined;
}

/** What came of an attempt: it is done with; it is to be tried again after so many milliseconds; or it was broken off, and is for whoever has the partition next. */
export type Outcome = 'done' | 'given-back' | { readonly retryIn: number };
