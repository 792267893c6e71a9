import { MalformedFrameError } from '../errors/malformed-frame-error.ts';

/** Where a frame lies: it is not copied out of what arrived, unless it arrived in pieces. */
export type OnFrame = (buffer: Buffer, start: number, end: number) => void;
/** A frame announced as larger than allowed, with the number of the request that it answers. */
export type OnTooLarge = (size: number, xid: number) => void;

const lengthSize = 4;
const smallestBuffer = 1024;

/**
 * Cuts what arrives on one connection into frames. It belongs to that connection alone: half a frame must never
 * meet the bytes of the next one. Its cost is linear in the bytes that arrive, however they are cut.
 */
export class Frames {
  readonly #limit: number;
  readonly #onFrame: OnFrame;
  readonly #onTooLarge: OnTooLarge;
  /** A frame that has arrived in part, from its length on. */
  #partial: Buffer = Buffer.alloc(0);
  #have = 0;
  #stopped = false;

  constructor(limit: number, onFrame: OnFrame, onTooLarge: OnTooLarge) {
    this.#limit = limit;
    this.#onFrame = onFrame;
    this.#onTooLarge = onTooLarge;
  }

  /** No frame is handed out after this, not even one that has arrived already. */
  stop(): void {
    this.#stopped = true;
    this.#partial = Buffer.alloc(0);
  }

  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length && !this.#stopped) {
      if (this.#have > 0) at += this.#complete(chunk, at);
      else at += this.#whole(chunk, at);
    }
  }

  /** Hands out the frame at `at` if all of it is there, or else begins a partial one. Returns how many bytes it took. */
  #whole(chunk: Buffer, at: number): number {
    const left = chunk.length - at;
    if (left >= lengthSize) {
      const size = chunk.readInt32BE(at);
      if (!this.#tooLarge(size) && left >= lengthSize + size) {
        this.#onFrame(chunk, at + lengthSize, at + lengthSize + size);
        return lengthSize + size;
      }
    }
    return this.#complete(chunk, at);
  }

  /** Adds to the partial frame what it lacks, and hands it out when it is complete. */
  #complete(chunk: Buffer, at: number): number {
    const size = this.#have >= lengthSize ? this.#partial.readInt32BE(0) : undefined;
    const wanted = this.#wanted(size);
    const taken = Math.min(wanted - this.#have, chunk.length - at);
    this.#reserve(this.#have + taken, wanted);
    chunk.copy(this.#partial, this.#have, at, at + taken);
    this.#have += taken;
    if (this.#have < wanted) return taken;
    if (size === undefined) {
      this.#tooLarge(this.#partial.readInt32BE(0));
      return taken;
    }
    const frame = this.#partial;
    this.#partial = Buffer.alloc(0);
    this.#have = 0;
    if (this.#tooLarge(size)) {
      this.stop();
      this.#onTooLarge(size, frame.readInt32BE(lengthSize));
    } else this.#onFrame(frame, lengthSize, wanted);
    return taken;
  }

  #tooLarge(size: number): boolean {
    // No frame of the protocol is empty.
    if (size <= 0) throw new MalformedFrameError(`a frame of length ${size}`);
    return size > this.#limit;
  }

  /** How many bytes to gather: the length, then the frame; of a frame too large only the number of its request. */
  #wanted(size: number | undefined): number {
    if (size === undefined) return lengthSize;
    return this.#tooLarge(size) ? lengthSize + 4 : lengthSize + size;
  }

  /** Grows by doubling, never to more than the frame needs: an announced length alone allocates nothing. */
  #reserve(needed: number, wanted: number): void {
    if (needed <= this.#partial.length) return;
    const grown = Buffer.allocUnsafeSlow(
      Math.max(needed, Math.min(wanted, Math.max(this.#partial.length * 2, smallestBuffer))),
    );
    this.#partial.copy(grown, 0, 0, this.#have);
    this.#partial = grown;
  }
}
