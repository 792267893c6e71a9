import { type Channel, channel, type TracingChannel, tracingChannel } from 'node:diagnostics_channel';
import type { TopicPartition } from './driver/record.ts';

/** Traced on `quorate.stream.send`, for each message. Contents are not part of it. */
export interface TracedSend {
  readonly topic: string;
  readonly id: string;
}

/** Traced on `quorate.stream.handle`, for each run of a handler. */
export interface TracedHandle extends TopicPartition {
  readonly group: string;
  readonly offset: bigint;
  readonly attempt: number;
}

/** Published on `quorate.stream.give-up` for each message that was given up. */
export interface GivenUp extends TopicPartition {
  readonly group: string;
  readonly offset: bigint;
  readonly reason: string;
  readonly error: string;
  /** Whether it is a dead letter; otherwise it is gone. */
  readonly kept: boolean;
}

/** Published on `quorate.stream.share` when a member gets other partitions, or loses those that it had. */
export interface Share {
  readonly group: string;
  readonly partitions: readonly TopicPartition[];
  /** Messages that were gone before the group had read them. */
  readonly missed: bigint;
  /** Why there are none any more, when they were lost without notice. */
  readonly lost?: string;
}

export const sends: TracingChannel<TracedSend> = tracingChannel('quorate.stream.send');
export const handles: TracingChannel<TracedHandle> = tracingChannel('quorate.stream.handle');
export const givenUp: Channel<unknown, GivenUp> = channel('quorate.stream.give-up');
export const shares: Channel<unknown, Share> = channel('quorate.stream.share');
