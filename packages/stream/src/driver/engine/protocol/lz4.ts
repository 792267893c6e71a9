import { MalformedAnswerError } from './malformed-answer-error.ts';
import { UnreadableBatchError } from './unreadable-batch-error.ts';

const magic = 0x184d2204;
const flags = { independent: 1 << 5, blockChecksum: 1 << 4, contentSize: 1 << 3, dictionary: 1 } as const;
/** The highest bit of a block's length: it is as it was. */
const plain = 0x80000000;
const shortestMatch = 4;

/** A frame of blocks. Checksums in it are not looked at: a batch has its own. */
export function decompressLz4(bytes: Buffer, most: number): Buffer {
  if (bytes.length < 7 || bytes.readUInt32LE(0) !== magic) throw malformed();
  const flag = bytes.readUInt8(4);
  if (flag >>> 6 !== 1 || flag & flags.dictionary) throw malformed();
  let at = 6 + (flag & flags.contentSize ? 8 : 0) + 1 /* checksum of the head */;
  const checksum = flag & flags.blockChecksum ? 4 : 0;
  const page = new Page(most);
  for (;;) {
    if (at + 4 > bytes.length) throw malformed();
    const head = bytes.readUInt32LE(at);
    at += 4;
    if (head === 0) return page.finish();
    const length = head % plain;
    if (at + length + checksum > bytes.length) throw malformed();
    const block = bytes.subarray(at, at + length);
    if (head >= plain) page.take(block, 0, length);
    else expand(block, page, flag & flags.independent ? page.length : 0);
    at += length + checksum;
  }
}

/** Each sequence is bytes as they are, and then so many of those already written, from so far back; the last one has only the former. */
function expand(block: Buffer, page: Page, oldest: number): void {
  let at = 0;
  while (at < block.length) {
    const token = block[at++] as number;
    let length = token >>> 4;
    if (length === 15) {
      const begin = at;
      at = afterLength(block, at);
      length += lengthOf(block, begin, at);
    }
    page.take(block, at, length);
    at += length;
    if (at === block.length) return;
    if (at + 2 > block.length) throw malformed();
    const back = block.readUInt16LE(at);
    at += 2;
    length = token & 15;
    if (length === 15) {
      const begin = at;
      at = afterLength(block, at);
      length += lengthOf(block, begin, at);
    }
    page.repeat(back, length + shortestMatch, oldest);
  }
}

/** A length goes on for as long as its bytes are the largest that there are. */
function afterLength(block: Buffer, from: number): number {
  let at = from;
  while (block[at] === 255) at += 1;
  if (at >= block.length) throw malformed();
  return at + 1;
}

function lengthOf(block: Buffer, from: number, after: number): number {
  return (after - 1 - from) * 255 + (block[after - 1] as number);
}

/** What was decompressed so far. */
class Page {
  readonly #most: number;
  #bytes: Buffer = Buffer.allocUnsafe(64 * 1024);
  #to = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get length(): number {
    return this.#to;
  }

  finish(): Buffer {
    return this.#bytes.subarray(0, this.#to);
  }

  take(block: Buffer, at: number, length: number): void {
    if (at + length > block.length) throw malformed();
    this.#grow(length);
    block.copy(this.#bytes, this.#to, at, at + length);
    this.#to += length;
  }

  repeat(back: number, length: number, oldest: number): void {
    if (back === 0 || back > this.#to - oldest) throw malformed();
    this.#grow(length);
    const bytes = this.#bytes;
    // What is copied may be what was copied a moment ago: one byte after the other.
    let to = this.#to;
    for (const end = to + length; to < end; to += 1) bytes[to] = bytes[to - back] as number;
    this.#to = to;
  }

  #grow(length: number): void {
    const needed = this.#to + length;
    if (needed > this.#most) throw new UnreadableBatchError(`it has more than ${this.#most} bytes`);
    if (needed <= this.#bytes.length) return;
    const bytes = Buffer.allocUnsafe(Math.max(needed, 2 * this.#bytes.length));
    this.#bytes.copy(bytes, 0, 0, this.#to);
    this.#bytes = bytes;
  }
}

function malformed(): MalformedAnswerError {
  return new MalformedAnswerError('lz4: not compressed that way');
}
