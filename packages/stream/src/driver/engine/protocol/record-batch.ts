import type { KafkaRecord } from '../../record.ts';
import { crc32c } from './crc32c.ts';

/** Records that are written together, and by whom. */
export interface RecordBatchAsk {
  readonly records: readonly KafkaRecord[];
  readonly producerId: bigint;
  readonly producerEpoch: number;
  /** The number of the first record among those of this producer in this partition. */
  readonly baseSequence: number;
  readonly transactional: boolean;
}

const headLength = 61;
/** Where what the checksum is of begins. */
const checked = 21;
const magic = 2;
const transactionalBit = 1 << 4;

/** A batch as Kafka keeps it. */
export function encodeBatch(ask: RecordBatchAsk): Buffer {
  const { records } = ask;
  const times = records.map(({ timestamp }) => Math.trunc(timestamp));
  const first = times[0] ?? 0;
  const lengths = records.map((record, index) => lengthOf(record, index, (times[index] ?? 0) - first));
  const total = lengths.reduce((sum, length) => sum + varintLength(length) + length, headLength);
  const bytes = Buffer.allocUnsafe(total);
  bytes.writeBigInt64BE(0n, 0);
  bytes.writeInt32BE(total - 12, 8);
  bytes.writeInt32BE(-1, 12);
  bytes.writeInt8(magic, 16);
  bytes.writeInt16BE(ask.transactional ? transactionalBit : 0, checked);
  bytes.writeInt32BE(records.length - 1, 23);
  bytes.writeBigInt64BE(BigInt(first), 27);
  bytes.writeBigInt64BE(BigInt(times.reduce((a, b) => Math.max(a, b), first)), 35);
  bytes.writeBigInt64BE(ask.producerId, 43);
  bytes.writeInt16BE(ask.producerEpoch, 51);
  bytes.writeInt32BE(ask.baseSequence, 53);
  bytes.writeInt32BE(records.length, 57);
  const pen = new Pen(bytes, headLength);
  for (const [index, record] of records.entries()) {
    pen.varint(lengths[index] ?? 0);
    pen.byte(0);
    pen.varint((times[index] ?? 0) - first);
    pen.varint(index);
    pen.field(record.key);
    pen.field(record.value);
    pen.varint(record.headers.length);
    for (const [name, value] of record.headers) {
      pen.text(name);
      pen.field(value);
    }
  }
  bytes.writeUInt32BE(crc32c(bytes.subarray(checked)), 17);
  return bytes;
}

function lengthOf({ key, value, headers }: KafkaRecord, index: number, time: number): number {
  let length = 1 + varintLength(time) + varintLength(index) + fieldLength(key) + fieldLength(value);
  length += varintLength(headers.length);
  for (const [name, content] of headers) {
    const nameLength = Buffer.byteLength(name);
    length += varintLength(nameLength) + nameLength + fieldLength(content);
  }
  return length;
}

function fieldLength(bytes: Buffer | null): number {
  return bytes === null ? varintLength(-1) : varintLength(bytes.length) + bytes.length;
}

/** Kafka writes small numbers of either sign in few bytes: 0, -1, 1, -2, … The sign is the lowest bit, next to this. */
function unsigned(value: number): number {
  return value < 0 ? -value - 1 : value;
}

function varintLength(value: number): number {
  let length = 1;
  // By division: a time may be too far from the first one for operators of 32 bits.
  for (let left = Math.floor(unsigned(value) / 64); left > 0; left = Math.floor(left / 128)) length += 1;
  return length;
}

/** Writes one thing after the other. */
class Pen {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  byte(value: number): void {
    this.#bytes[this.#at] = value;
    this.#at += 1;
  }

  varint(value: number): void {
    const whole = unsigned(value);
    let left = Math.floor(whole / 64);
    this.byte((whole % 64) * 2 + (value < 0 ? 1 : 0) + (left > 0 ? 128 : 0));
    while (left > 0) {
      const next = Math.floor(left / 128);
      this.byte((left % 128) + (next > 0 ? 128 : 0));
      left = next;
    }
  }

  field(bytes: Buffer | null): void {
    if (bytes === null) {
      this.varint(-1);
      return;
    }
    this.varint(bytes.length);
    bytes.copy(this.#bytes, this.#at);
    this.#at += bytes.length;
  }

  text(value: string): void {
    this.varint(Buffer.byteLength(value));
    this.#at += this.#bytes.write(value, this.#at);
  }
}
