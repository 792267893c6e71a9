import { MalformedAnswerError } from './malformed-answer-error.ts';

const empty = Buffer.alloc(0);

/** Reads the primitives of Kafka's protocol, one after the other, and nothing outside of what there is. */
export class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** How many bytes have not been read. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  int8(): number {
    const at = this.#take(1);
    return this.#bytes.readInt8(at);
  }

  int16(): number {
    const at = this.#take(2);
    return this.#bytes.readInt16BE(at);
  }

  int32(): number {
    const at = this.#take(4);
    return this.#bytes.readInt32BE(at);
  }

  int64(): bigint {
    const at = this.#take(8);
    return this.#bytes.readBigInt64BE(at);
  }

  uint32(): number {
    const at = this.#take(4);
    return this.#bytes.readUInt32BE(at);
  }

  boolean(): boolean {
    return this.int8() !== 0;
  }

  /** As text of 36 characters. */
  uuid(): string {
    const at = this.#take(16);
    const hex = this.#bytes.toString('hex', at, at + 16);
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  }

  /** Of up to 32 bits. */
  unsignedVarint(): number {
    const bytes = this.#bytes;
    let at = this.#at;
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = bytes[at++];
      if (byte === undefined) throw new MalformedAnswerError('it is cut short');
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.#at = at;
        return value >>> 0;
      }
    }
    throw new MalformedAnswerError('a number has more than 32 bits');
  }

  /** Of 32 bits, with a sign. */
  varint(): number {
    const value = this.unsignedVarint();
    return (value >>> 1) ^ -(value & 1);
  }

  /** Of 64 bits, with a sign: exact while it is a safe integer. */
  varlong(): number {
    const bytes = this.#bytes;
    const begin = this.#at;
    let at = begin;
    let value = 0;
    for (let scale = 1; scale < 2 ** 49; scale *= 128) {
      const byte = bytes[at++];
      if (byte === undefined) throw new MalformedAnswerError('it is cut short');
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        this.#at = at;
        return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      }
    }
    return this.#longer(value, at);
  }

  string(): string {
    return this.nullableString() ?? missing('text');
  }

  nullableString(): string | null {
    const length = this.int16();
    return length === -1 ? null : this.text(length);
  }

  compactString(): string {
    return this.compactNullableString() ?? missing('text');
  }

  compactNullableString(): string | null {
    const length = this.unsignedVarint() - 1;
    return length === -1 ? null : this.text(length);
  }

  /** Like all bytes: a window on the answer, which lives as long as it does. */
  bytes(): Buffer {
    return this.nullableBytes() ?? missing('bytes');
  }

  nullableBytes(): Buffer | null {
    const length = this.int32();
    return length === -1 ? null : this.raw(length);
  }

  compactBytes(): Buffer {
    return this.compactNullableBytes() ?? missing('bytes');
  }

  compactNullableBytes(): Buffer | null {
    const length = this.unsignedVarint() - 1;
    return length === -1 ? null : this.raw(length);
  }

  /** So many bytes. */
  raw(length: number): Buffer {
    const at = this.#take(length);
    return length === 0 ? empty : this.#bytes.subarray(at, at + length);
  }

  /** Of so many bytes. */
  text(length: number): string {
    const at = this.#take(length);
    return length === 0 ? '' : this.#bytes.toString('utf8', at, at + length);
  }

  skip(length: number): void {
    this.#take(length);
  }

  array<T>(read: (reader: Reader) => T): T[] {
    return this.nullableArray(read) ?? missing('list');
  }

  nullableArray<T>(read: (reader: Reader) => T): T[] | null {
    const length = this.int32();
    return length === -1 ? null : this.#items(length, read);
  }

  compactArray<T>(read: (reader: Reader) => T): T[] {
    return this.compactNullableArray(read) ?? missing('list');
  }

  compactNullableArray<T>(read: (reader: Reader) => T): T[] | null {
    const length = this.unsignedVarint() - 1;
    return length === -1 ? null : this.#items(length, read);
  }

  /** Reads past tagged fields: whoever does not know them does well without. */
  skipTags(): void {
    for (let left = this.unsignedVarint(); left > 0; left -= 1) {
      this.unsignedVarint();
      const length = this.unsignedVarint();
      this.#take(length);
    }
  }

  #items<T>(length: number, read: (reader: Reader) => T): T[] {
    // Each has a byte at least.
    if (length < 0 || length > this.left) throw new MalformedAnswerError(`it has no room for ${length} items`);
    const items: T[] = [];
    for (let left = length; left > 0; left -= 1) items.push(read(this));
    return items;
  }

  /** What follows the seven bytes of a number, which had more than fits in this many bits without loss. */
  #longer(low: number, from: number): number {
    let at = from;
    let value = BigInt(low);
    for (let shift = 49n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[at++];
      if (byte === undefined) throw new MalformedAnswerError('it is cut short');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.#at = at;
        return Number(BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n)));
      }
    }
    throw new MalformedAnswerError('a number has more than 64 bits');
  }

  /** Where to read so many bytes. */
  #take(length: number): number {
    const at = this.#at;
    if (length < 0) throw new MalformedAnswerError(`a length of ${length}`);
    if (at + length > this.#bytes.length) throw new MalformedAnswerError('it is cut short');
    this.#at = at + length;
    return at;
  }
}

function missing(what: string): never {
  throw new MalformedAnswerError(`there is no ${what} where there has to be`);
}
