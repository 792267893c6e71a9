import { Bytes } from './bytes.ts';
import { Answer } from './failure.ts';

/** The version that the package asks in, and this can read. Every broker since Kafka 2.3 knows it. */
const version = 11;

export interface FetchedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
  /** Where a reader of committed records has to stop. */
  readonly end: bigint;
  readonly aborted: readonly { readonly producerId: bigint; readonly first: bigint }[];
  readonly stored: Buffer;
}

export interface FetchAnswer {
  /** How long the broker wants to be left alone; the package sees to that. */
  readonly clientSideThrottleTime: number;
  readonly partitions: readonly FetchedPartition[];
}

/**
 * What the broker answers to a fetch. The package's own reading of it mixes up the order of headers, takes those with the name of something
 * that every object has for others, and leaves no trace of batches of which compaction has left nothing.
 */
export function fetchAnswer(answer: Buffer, apiVersion: number): FetchAnswer {
  if (apiVersion !== version) throw new Answer(35 /* UNSUPPORTED_VERSION */);
  const bytes = new Bytes(answer);
  const clientSideThrottleTime = bytes.int32();
  const errorCode = bytes.int16();
  if (errorCode !== 0) throw new Answer(errorCode);
  bytes.skip(4 /* session */);
  const topics = bytes.array(bytes.int32(), () => {
    const topic = bytes.text(bytes.int16());
    return bytes.array(bytes.int32(), () => partitionOf(topic, bytes));
  });
  return { clientSideThrottleTime, partitions: topics.flat() };
}

function partitionOf(topic: string, bytes: Bytes): FetchedPartition {
  const partition = bytes.int32();
  const errorCode = bytes.int16();
  const writtenUpTo = bytes.int64();
  const stableUpTo = bytes.int64();
  bytes.skip(8 /* where the log begins */);
  const aborted = bytes.array(bytes.int32(), () => ({ producerId: bytes.int64(), first: bytes.int64() }));
  bytes.skip(4 /* a replica to read from */);
  const stored = bytes.take(Math.max(0, bytes.int32()));
  return { topic, partition, errorCode, end: stableUpTo < 0n ? writtenUpTo : stableUpTo, aborted, stored };
}
