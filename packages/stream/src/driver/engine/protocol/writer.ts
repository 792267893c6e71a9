const first = 256;
/** Bytes from this length on are kept as they are until the end: a request may carry megabytes, and is put together once. */
const large = 1024;
const noUuid = '00000000-0000-0000-0000-000000000000';
const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Writes the primitives of Kafka's protocol, one after the other. */
export class Writer {
  readonly #done: Buffer[] = [];
  #page: Buffer = Buffer.allocUnsafe(first);
  /** Where in the page what is not done yet begins, and where it ends. */
  #from = 0;
  #to = 0;

  /** All that was written. */
  finish(): Buffer {
    const rest = this.#page.subarray(this.#from, this.#to);
    return this.#done.length === 0 ? rest : Buffer.concat([...this.#done, rest]);
  }

  int8(value: number): this {
    const at = this.#take(1);
    this.#page.writeInt8(value, at);
    return this;
  }

  int16(value: number): this {
    const at = this.#take(2);
    this.#page.writeInt16BE(value, at);
    return this;
  }

  int32(value: number): this {
    const at = this.#take(4);
    this.#page.writeInt32BE(value, at);
    return this;
  }

  int64(value: bigint): this {
    const at = this.#take(8);
    this.#page.writeBigInt64BE(value, at);
    return this;
  }

  uint32(value: number): this {
    const at = this.#take(4);
    this.#page.writeUInt32BE(value, at);
    return this;
  }

  boolean(value: boolean): this {
    return this.int8(value ? 1 : 0);
  }

  /** As text of 36 characters; null: none, which is all zeros. */
  uuid(value: string | null): this {
    const text = value ?? noUuid;
    if (!uuidPattern.test(text)) throw new RangeError(`not a UUID: "${text}"`);
    const at = this.#take(16);
    this.#page.write(text.replaceAll('-', ''), at, 'hex');
    return this;
  }

  /** Of up to 32 bits. */
  unsignedVarint(value: number): this {
    if (!(value >= 0 && value <= 0xffffffff)) throw new RangeError(`not an unsigned number of 32 bits: ${value}`);
    let at = this.#take(value < 0x80 ? 1 : 5);
    let left = value;
    for (; left >= 0x80; left >>>= 7) this.#page[at++] = (left & 0x7f) | 0x80;
    this.#page[at++] = left;
    this.#to = at;
    return this;
  }

  /** Of 32 bits, with a sign. */
  varint(value: number): this {
    return this.unsignedVarint(((value << 1) ^ (value >> 31)) >>> 0);
  }

  /** Of 64 bits, with a sign. */
  varlong(value: bigint): this {
    let at = this.#take(10);
    let left = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
    for (; left >= 0x80n; left >>= 7n) this.#page[at++] = Number(left & 0x7fn) | 0x80;
    this.#page[at++] = Number(left);
    this.#to = at;
    return this;
  }

  string(value: string | null): this {
    if (value === null) return this.int16(-1);
    const length = Buffer.byteLength(value);
    return this.int16(length).#text(value, length);
  }

  compactString(value: string | null): this {
    if (value === null) return this.unsignedVarint(0);
    const length = Buffer.byteLength(value);
    return this.unsignedVarint(length + 1).#text(value, length);
  }

  bytes(value: Buffer | null): this {
    return value === null ? this.int32(-1) : this.int32(value.length).raw(value);
  }

  compactBytes(value: Buffer | null): this {
    return value === null ? this.unsignedVarint(0) : this.unsignedVarint(value.length + 1).raw(value);
  }

  /** Without a length. They are not to change until all is written: what is large is not copied before. */
  raw(value: Buffer): this {
    if (value.length < large) {
      const at = this.#take(value.length);
      value.copy(this.#page, at);
      return this;
    }
    if (this.#to > this.#from) this.#done.push(this.#page.subarray(this.#from, this.#to));
    this.#from = this.#to;
    this.#done.push(value);
    return this;
  }

  array<T>(items: readonly T[] | null, write: (writer: Writer, item: T) => void): this {
    this.int32(items?.length ?? -1);
    for (const item of items ?? []) write(this, item);
    return this;
  }

  compactArray<T>(items: readonly T[] | null, write: (writer: Writer, item: T) => void): this {
    this.unsignedVarint(items === null ? 0 : items.length + 1);
    for (const item of items ?? []) write(this, item);
    return this;
  }

  /** The end of what may have tagged fields, without any. */
  noTags(): this {
    return this.unsignedVarint(0);
  }

  #text(value: string, length: number): this {
    const at = this.#take(length);
    this.#page.write(value, at);
    return this;
  }

  /** Where to write so many bytes. WARNING: only then look at the page, which may be another one than before. */
  #take(length: number): number {
    if (this.#to + length > this.#page.length) {
      const begun = this.#page.subarray(this.#from, this.#to);
      this.#page = Buffer.allocUnsafe(Math.max(2 * this.#page.length, 2 * (begun.length + length)));
      begun.copy(this.#page);
      this.#from = 0;
      this.#to = begun.length;
    }
    const at = this.#to;
    this.#to += length;
    return at;
  }
}
