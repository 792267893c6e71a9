import { MalformedAnswerError } from './malformed-answer-error.ts';
import { Reader } from './reader.ts';
import { UnreadableBatchError } from './unreadable-batch-error.ts';

/** How a sequence of blocks begins, as clients in Java write it. Two numbers follow: its version, and the oldest that can read it. */
const framed: Buffer = Buffer.from([0x82, ...Buffer.from('SNAPPY'), 0]);
const framedHead = framed.length + 8;
/** Three bytes stand for 64 at most. */
const mostPerByte = 22;

/** One block, or a sequence of them. */
export function decompressSnappy(bytes: Buffer, most: number): Buffer {
  if (!bytes.subarray(0, framed.length).equals(framed)) return block(bytes, most);
  const reader = new Reader(bytes);
  reader.skip(framedHead);
  const blocks: Buffer[] = [];
  for (let left = most; reader.left > 0; ) {
    const one = block(reader.bytes(), left);
    left -= one.length;
    blocks.push(one);
  }
  return Buffer.concat(blocks);
}

function block(bytes: Buffer, most: number): Buffer {
  const reader = new Reader(bytes);
  const length = reader.unsignedVarint();
  if (length > most) throw new UnreadableBatchError(`it has more than ${most} bytes`);
  if (length > bytes.length * mostPerByte) throw malformed();
  const whole = Buffer.allocUnsafe(length);
  if (expand(bytes, bytes.length - reader.left, whole) !== length) throw malformed();
  return whole;
}

/** Gives how much was written. Each element is bytes as they are, or so many of those already written, from so far back. */
function expand(bytes: Buffer, begin: number, whole: Buffer): number {
  let at = begin;
  let to = 0;
  while (at < bytes.length) {
    const tag = bytes[at++] as number;
    const kind = tag & 3;
    let length = (tag >>> 2) + 1;
    if (kind === 0) {
      if (length > 60) {
        const more = length - 60;
        if (at + more > bytes.length) throw malformed();
        length = bytes.readUIntLE(at, more) + 1;
        at += more;
      }
      if (at + length > bytes.length || to + length > whole.length) throw malformed();
      bytes.copy(whole, to, at, at + length);
      at += length;
      to += length;
      continue;
    }
    const wide = kind === 3 ? 4 : kind;
    if (at + wide > bytes.length) throw malformed();
    let back = bytes.readUIntLE(at, wide);
    at += wide;
    if (kind === 1) {
      length = ((tag >>> 2) & 7) + 4;
      back |= (tag >>> 5) << 8;
    }
    if (back === 0 || back > to || to + length > whole.length) throw malformed();
    // What is copied may be what was copied a moment ago: one byte after the other.
    for (const end = to + length; to < end; to += 1) whole[to] = whole[to - back] as number;
  }
  return to;
}

function malformed(): MalformedAnswerError {
  return new MalformedAnswerError('snappy: not compressed that way');
}
