import type { KafkaRecord } from '../record.ts';
import type { Parcel } from './parcel.ts';

const headLength = 61;
/** Where what the checksum is of begins. */
const checked = 21;
const magic = 2;
const transactional = 1 << 4;

/**
 * A batch as Kafka keeps it. The library's own encoder writes a time that is more than 24 days before or after that of the first record
 * as another one.
 */
export function encodeBatch(
  { batch: { records }, identity, sequence }: Parcel,
  isTransactional: boolean,
  checksum: (bytes: Buffer) => number,
): Buffer {
  const times = records.map(({ timestamp }) => Math.trunc(timestamp));
  const first = times[0] ?? 0;
  const latest = times.reduce((a, b) => Math.max(a, b), first);
  const names = records.map(({ headers }) => headers.map(([name]) => Buffer.from(name)));
  const lengths = records.map((record, index) =>
    lengthOf(record, index, (times[index] ?? 0) - first, names[index] ?? []),
  );
  const total = lengths.reduce((sum, length) => sum + varintLength(length) + length, headLength);
  const bytes = Buffer.allocUnsafe(total);
  bytes.writeBigInt64BE(0n, 0);
  bytes.writeInt32BE(total - 12, 8);
  bytes.writeInt32BE(-1, 12);
  bytes.writeInt8(magic, 16);
  bytes.writeInt16BE(isTransactional ? transactional : 0, checked);
  bytes.writeInt32BE(records.length - 1, 23);
  bytes.writeBigInt64BE(BigInt(first), 27);
  bytes.writeBigInt64BE(BigInt(latest), 35);
  bytes.writeBigInt64BE(identity.id, 43);
  bytes.writeInt16BE(identity.epoch, 51);
  bytes.writeInt32BE(sequence, 53);
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
    for (const [at, [, value]] of record.headers.entries()) {
      pen.field(names[index]?.[at] ?? null);
      pen.field(value);
    }
  }
  bytes.writeUInt32BE(checksum(bytes.subarray(checked)), 17);
  return bytes;
}

function lengthOf({ key, value, headers }: KafkaRecord, index: number, time: number, names: readonly Buffer[]): number {
  let length = 1 + varintLength(time) + varintLength(index) + fieldLength(key) + fieldLength(value);
  length += varintLength(headers.length);
  for (const [at, [, content]] of headers.entries()) length += fieldLength(names[at] ?? null) + fieldLength(content);
  return length;
}

function fieldLength(bytes: Buffer | null): number {
  return bytes === null ? varintLength(-1) : varintLength(bytes.length) + bytes.length;
}

/** Kafka writes small numbers of either sign in few bytes: 0, -1, 1, -2, … */
function folded(value: number): number {
  return value >= 0 ? value * 2 : value * -2 - 1;
}

function varintLength(value: number): number {
  let length = 1;
  for (let left = folded(value); left >= 128; left = Math.floor(left / 128)) length += 1;
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
    let left = folded(value);
    for (; left >= 128; left = Math.floor(left / 128)) this.byte((left % 128) + 128);
    this.byte(left);
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
}
