/** A session that is busy fills a large buffer each time; one that is idle keeps none. */
const largest = 16 * 1024;
const smallest = 512;
const nothing = Buffer.alloc(0);

/** Writes jute values one after the other into a buffer that grows. Big-endian, lengths as 32-bit integers. */
export class Writer {
  #buffer: Buffer = nothing;
  #length = 0;
  /** Of the next buffer. */
  #capacity: number;

  constructor(capacity: number = smallest) {
    this.#capacity = capacity;
  }

  get length(): number {
    return this.#length;
  }

  int(value: number): this {
    this.#reserve(4);
    this.#buffer.writeInt32BE(value, this.#length);
    this.#length += 4;
    return this;
  }

  long(value: bigint): this {
    this.#reserve(8);
    this.#buffer.writeBigInt64BE(value, this.#length);
    this.#length += 8;
    return this;
  }

  bool(value: boolean): this {
    this.#reserve(1);
    this.#buffer[this.#length] = value ? 1 : 0;
    this.#length += 1;
    return this;
  }

  string(value: string): this {
    // Three bytes are the most one UTF-16 unit can become: one pass, no measuring first.
    this.#reserve(4 + value.length * 3);
    const size = this.#buffer.write(value, this.#length + 4, 'utf8');
    this.#buffer.writeInt32BE(size, this.#length);
    this.#length += 4 + size;
    return this;
  }

  /** A string or list that is not there, which some requests tell from an empty one. */
  absent(): this {
    return this.int(-1);
  }

  bytes(value: Uint8Array): this {
    this.#reserve(4 + value.byteLength);
    this.#buffer.writeInt32BE(value.byteLength, this.#length);
    this.#buffer.set(value, this.#length + 4);
    this.#length += 4 + value.byteLength;
    return this;
  }

  /** Bytes that are encoded already, without a length of their own. */
  raw(value: Uint8Array): this {
    this.#reserve(value.byteLength);
    this.#buffer.set(value, this.#length);
    this.#length += value.byteLength;
    return this;
  }

  list<T>(values: readonly T[], write: (writer: this, value: T) => void): this {
    this.int(values.length);
    for (const value of values) write(this, value);
    return this;
  }

  /** Begins a frame and returns where it began; `endFrame` fills in its length. */
  beginFrame(): number {
    const start = this.#length;
    this.int(0);
    return start;
  }

  endFrame(start: number): void {
    this.#buffer.writeInt32BE(this.#length - start - 4, start);
  }

  /** Forgets everything written after `length`: a frame that was refused leaves no bytes behind. */
  truncate(length: number): void {
    this.#length = length;
  }

  /** Hands over what was written, without copying, and begins afresh in a new buffer. */
  take(): Buffer {
    const written = this.#buffer.subarray(0, this.#length);
    const rest = this.#buffer.subarray(this.#length);
    this.#capacity = Math.min(largest, Math.max(smallest, 4 * this.#length));
    // The remainder is reused while it is worth it, so that busy sessions do not allocate a buffer for each frame.
    const isWorthIt = this.#capacity > smallest && rest.length >= this.#capacity / 4;
    this.#buffer = isWorthIt ? rest : nothing;
    this.#length = 0;
    return written;
  }

  #reserve(size: number): void {
    const needed = this.#length + size;
    if (needed <= this.#buffer.length) return;
    const grown = allocated(Math.max(needed, this.#capacity, this.#buffer.length * 2));
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
  }
}

/** What is small is soon on its way, and a part of Node's pool; what is large would keep all of a pool in memory. */
function allocated(size: number): Buffer {
  return size <= smallest ? Buffer.allocUnsafe(size) : Buffer.allocUnsafeSlow(size);
}
