import type { ReadRecord } from '../record.ts';
import { Bytes } from './bytes.ts';
import { Answer } from './failure.ts';

/** Records as they are stored: together, and compressed together. */
export interface StoredBatch {
  readonly first: bigint;
  /** It may have been compacted away, with all others. */
  readonly last: bigint;
  readonly producerId: bigint;
  readonly inTransaction: boolean;
  /** It holds no records but the end of a transaction. */
  readonly isMarker: boolean;
  /** By Kafka's number; 0 for none. */
  readonly compression: number;
  readonly timestamp: number;
  /** The broker's clock, when that counts for all of them. */
  readonly appendedAt: number | undefined;
  readonly count: number;
  readonly body: Buffer;
}

const startOfBatch = 12;
const startOfRecords = 61;
/** From the start of a batch: where its format is told. */
const formatAt = 16;

/** What a broker has sent of a partition; it may end in the middle of a batch, which is then left out. */
export function batchesIn(stored: Buffer): readonly StoredBatch[] {
  const batches: StoredBatch[] = [];
  for (let at = 0; at + startOfRecords <= stored.length; ) {
    const length = startOfBatch + stored.readInt32BE(at + 8);
    if (at + length > stored.length) break;
    if (stored.readInt8(at + formatAt) !== 2) throw new Answer(43 /* UNSUPPORTED_FOR_MESSAGE_FORMAT */);
    batches.push(batch(stored.subarray(at, at + length)));
    at += length;
  }
  return batches;
}

function batch(stored: Buffer): StoredBatch {
  const bytes = new Bytes(stored);
  const first = bytes.int64();
  bytes.skip(4 + 4 + 1 + 4 /* length, epoch of the leader, format, checksum */);
  const attributes = bytes.int16();
  const last = first + BigInt(bytes.int32());
  const timestamp = Number(bytes.int64());
  const latest = Number(bytes.int64());
  const producerId = bytes.int64();
  bytes.skip(2 + 4 /* epoch of the producer, its running number */);
  return {
    first,
    last,
    producerId,
    inTransaction: (attributes & 0x10) !== 0,
    isMarker: (attributes & 0x20) !== 0,
    compression: attributes & 0x07,
    timestamp,
    appendedAt: (attributes & 0x08) !== 0 ? latest : undefined,
    count: bytes.int32(),
    body: bytes.take(bytes.left),
  };
}

/** `body` is that of the batch, not compressed. */
export function recordsIn({ first, timestamp, appendedAt, count }: StoredBatch, body: Buffer): readonly ReadRecord[] {
  const bytes = new Bytes(body);
  return bytes.array(count, () => {
    bytes.signed(/* length */);
    bytes.skip(1);
    const writtenAt = timestamp + bytes.signed();
    const offset = first + BigInt(bytes.signed());
    const key = nullable(bytes);
    const value = nullable(bytes);
    const headers = bytes.array(bytes.signed(), () => {
      const name = bytes.text(bytes.signed());
      return [name, nullable(bytes) ?? Buffer.alloc(0)] as const;
    });
    return { key, value, headers, timestamp: appendedAt ?? writtenAt, offset };
  });
}

function nullable(bytes: Bytes): Buffer | null {
  const length = bytes.signed();
  return length < 0 ? null : bytes.take(length);
}

/** Whether the transaction was aborted whose end this is: a version, then 0; or committed: 1. */
export function isAbort(marker: StoredBatch): boolean {
  const [record] = recordsIn(marker, marker.body);
  return record?.key != null && record.key.length >= 4 && record.key.readInt16BE(2) === 0;
}
