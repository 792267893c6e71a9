import { MalformedFrameError } from '../errors/malformed-frame-error.ts';

/** Reads jute values from one frame, in order. Views the bytes, never copies them, and refuses to read past the end. */
export class Reader {
  readonly #buffer: Buffer;
  readonly #end: number;
  #at: number;

  constructor(buffer: Buffer, start = 0, end: number = buffer.length) {
    this.#buffer = buffer;
    this.#at = start;
    this.#end = end;
  }

  get remaining(): number {
    return this.#end - this.#at;
  }

  int(): number {
    const at = this.#advance(4, 'an int');
    return this.#buffer.readInt32BE(at);
  }

  long(): bigint {
    const at = this.#advance(8, 'a long');
    return this.#buffer.readBigInt64BE(at);
  }

  bool(): boolean {
    const at = this.#advance(1, 'a boolean');
    return this.#buffer[at] !== 0;
  }

  string(): string {
    const size = this.#size('a string');
    const at = this.#advance(size, 'a string');
    return this.#buffer.toString('utf8', at, at + size);
  }

  /** A view of the frame's own memory: copy it to keep it. */
  bytes(): Buffer {
    const size = this.#size('bytes');
    const at = this.#advance(size, 'bytes');
    return this.#buffer.subarray(at, at + size);
  }

  /** `smallest` is the least an item can take, so that a false length is refused before anything is allocated for it. */
  list<T>(smallest: number, read: (reader: this) => T): T[] {
    const size = this.#size('a list');
    if (size * smallest > this.remaining) {
      throw new MalformedFrameError(`a list of ${size} items, with ${this.remaining} bytes left in the frame`);
    }
    const values: T[] = [];
    for (let i = 0; i < size; i += 1) values.push(read(this));
    return values;
  }

  /** A length, where -1 stands for null, which no reader of ours tells from empty. */
  #size(what: string): number {
    const size = this.int();
    if (size < -1) throw new MalformedFrameError(`${what} of length ${size}`);
    return size === -1 ? 0 : size;
  }

  #advance(size: number, what: string): number {
    if (size > this.remaining) {
      throw new MalformedFrameError(`${what} of ${size} bytes, with ${this.remaining} left in the frame`);
    }
    const at = this.#at;
    this.#at += size;
    return at;
  }
}
