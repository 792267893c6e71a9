import type { Socket } from 'node:net';

/** Each begins with its number, by which the library finds the request. */
const shortest = 4;

/**
 * The longest answer is that to a fetch: 4 MiB, or one batch where that is longer, and what is said of each partition. By itself no broker
 * takes a batch of more than 100 MiB (`socket.request.max.bytes`). Here is room for one of 256 MiB, more than which none is unpacked
 * to, and for 64 MiB of all else. Every length that is none, but the beginning of TLS or of text, is beyond it.
 */
export const longest: number = (256 + 64) * 1024 * 1024;

const lengthSize = 4;

/** What comes is no answer of Kafka's. */
export class BadFrameError extends Error {
  override readonly name: string = 'BadFrameError';
  /** By names of Node.js: that of a bad message, or one of those that mean TLS. */
  readonly code: string;

  constructor(length: number, isFirst: boolean) {
    const isTls = isFirst && tls.has(length >>> 16);
    super(isTls ? 'the broker speaks TLS' : `a frame of ${length} bytes is no answer`);
    this.code = isTls ? 'ERR_TLS_REQUIRED' : 'EBADMSG';
  }
}

/** How what is said by TLS begins: one of four kinds, and the version. */
const tls: ReadonlySet<number> = new Set([0x1403, 0x1503, 0x1603, 0x1703]);

/** Follows the lengths of the answers of one connection, and keeps nothing of them. */
export class Frames {
  #isFirst = true;
  /** How much of a frame is still to come. */
  #left = 0;
  /** Of a length that came in pieces. */
  #length = 0;
  #lengthBytes = 0;

  /** Throws `BadFrameError`. */
  follow(chunk: Buffer): void {
    let at = Math.min(this.#left, chunk.length);
    this.#left -= at;
    while (at < chunk.length) {
      if (this.#lengthBytes === 0 && at + lengthSize <= chunk.length) {
        this.#begin(chunk.readInt32BE(at));
        at += lengthSize;
      } else {
        this.#length = (this.#length << 8) | (chunk[at] as number);
        this.#lengthBytes += 1;
        at += 1;
        if (this.#lengthBytes < lengthSize) continue;
        this.#begin(this.#length);
      }
      const here = Math.min(this.#left, chunk.length - at);
      this.#left -= here;
      at += here;
    }
  }

  #begin(length: number): void {
    if (length < shortest || length > longest) throw new BadFrameError(length, this.#isFirst);
    this.#isFirst = false;
    this.#left = length;
    this.#length = 0;
    this.#lengthBytes = 0;
  }
}

/**
 * Ends a connection on which something else comes than answers, and calls `broken` first. The libraries believe every length: one of them
 * throws where nobody can catch it, and both keep whatever comes until a frame is whole.
 */
export function guardFrames(socket: Socket, broken: (error: BadFrameError) => void): void {
  const frames = new Frames();
  const emit = socket.emit.bind(socket) as (event: string | symbol, ...given: unknown[]) => boolean;
  // Another listener could not keep from the library what has come.
  socket.emit = (event: string | symbol, ...given: unknown[]): boolean => {
    if (event !== 'data') return emit(event, ...given);
    if (socket.destroyed) return false;
    try {
      frames.follow(given[0] as Buffer);
    } catch (error) {
      broken(error as BadFrameError);
      socket.destroy(error as BadFrameError);
      return false;
    }
    return emit(event, ...given);
  };
}
