import type { ReadRecord } from '../../record.ts';
import { decompress } from './compression.ts';
import { crc32c } from './crc32c.ts';
import { MalformedAnswerError } from './malformed-answer-error.ts';
import { Reader } from './reader.ts';
import { StoredRecord } from './stored-record.ts';
import { UnreadableBatchError } from './unreadable-batch-error.ts';

const headLength = 61;
/** What comes before what a batch says its length is of. */
const beforeLength = 12;
/** Where the format is said, which is at the same place in all. */
const magicAt = 16;
const magic = 2;
/** Where what the checksum is of begins. */
const checked = 21;
/** A record has seven numbers at least. */
const shortestRecord = 7;
/** What a batch may be when it is decompressed. */
const largest = 256 * 1024 * 1024;
const bits = { compression: 7, timeOfAppend: 1 << 3, transactional: 1 << 4, control: 1 << 5 } as const;

/** A batch as Kafka keeps it, of which the header is read, and the records when they are asked for. */
export class StoredBatch {
  readonly baseOffset: bigint;
  readonly lastOffsetDelta: number;
  readonly attributes: number;
  readonly producerId: bigint;
  /** Milliseconds since 1970, of the first record when it was written. */
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
  readonly #count: number;
  readonly #content: Buffer;

  /** Of a whole one, and nothing else. It stays a window on the bytes. */
  constructor(bytes: Buffer) {
    this.attributes = bytes.readInt16BE(checked);
    this.baseOffset = bytes.readBigInt64BE(0);
    this.lastOffsetDelta = bytes.readInt32BE(23);
    this.baseTimestamp = Number(bytes.readBigInt64BE(27));
    this.maxTimestamp = Number(bytes.readBigInt64BE(35));
    this.producerId = bytes.readBigInt64BE(43);
    this.#count = bytes.readInt32BE(57);
    this.#content = bytes.subarray(headLength);
  }

  /** Of its last record, also when compaction has removed that. */
  get lastOffset(): bigint {
    return this.baseOffset + BigInt(this.lastOffsetDelta);
  }

  get transactional(): boolean {
    return (this.attributes & bits.transactional) !== 0;
  }

  /** Whether this is no message of anybody: a marker, or something else that brokers tell each other. */
  get control(): boolean {
    return (this.attributes & bits.control) !== 0;
  }

  /** How a transaction ended, when this says only that; no consumer sees it. */
  get marker(): 'abort' | 'commit' | undefined {
    if (!this.control) return undefined;
    const [marker] = this.records(this.baseOffset);
    // Its version and its type, two bytes each.
    const type = marker?.key && marker.key.length >= 4 ? marker.key.readInt16BE(2) : undefined;
    return type === 0 ? 'abort' : type === 1 ? 'commit' : undefined;
  }

  /** Those from this offset on. They are copies of their own: whoever keeps one does not keep all that came with it. */
  records(from: bigint): ReadRecord[] {
    if (this.#count === 0) return [];
    const reader = new Reader(decompress(this.attributes & bits.compression, this.#content, largest));
    const count = this.#count;
    if (count < 0 || count * shortestRecord > reader.left) {
      throw new MalformedAnswerError(`a batch of ${reader.left} bytes has no room for ${count} records`);
    }
    const records: ReadRecord[] = [];
    const time = this.attributes & bits.timeOfAppend ? this.maxTimestamp : undefined;
    // Nothing is before the first one: the common case needs no comparison of each.
    const begin = from > this.baseOffset ? Number(from - this.baseOffset) : 0;
    for (let left = count; left > 0; left -= 1) this.#read(reader, begin, time, records);
    return records;
  }

  #read(reader: Reader, begin: number, time: number | undefined, records: ReadRecord[]): void {
    const length = reader.varint();
    const after = reader.left - length;
    reader.skip(1 /* attributes: there are none */);
    const timestamp = this.baseTimestamp + reader.varlong();
    const delta = reader.varint();
    const rest = reader.raw(reader.left - after);
    if (delta < begin) return;
    records.push(new StoredRecord(this.baseOffset + BigInt(delta), time ?? timestamp, Buffer.from(rest)));
  }
}

/**
 * The batches of an answer, one after the other; one that is cut short at the end is left out. Throws MalformedAnswerError or
 * UnreadableBatchError when it comes to a batch that cannot be read: those before it can.
 */
export function* storedBatches(bytes: Buffer): Generator<StoredBatch, void, undefined> {
  for (let at = 0; bytes.length - at > magicAt; ) {
    const format = bytes.readInt8(at + magicAt);
    if (format !== magic)
      throw new UnreadableBatchError(`it is of format ${format}, not of format ${magic} (of Kafka 0.11 and later)`);
    const length = beforeLength + bytes.readInt32BE(at + beforeLength - 4);
    if (length < headLength) throw new MalformedAnswerError(`a batch of ${length} bytes`);
    if (length > bytes.length - at) return;
    const batch = bytes.subarray(at, at + length);
    if (crc32c(batch.subarray(checked)) !== batch.readUInt32BE(checked - 4)) {
      throw new MalformedAnswerError(`the checksum of the batch at offset ${batch.readBigInt64BE(0)} is wrong`);
    }
    yield new StoredBatch(batch);
    at += length;
  }
}
