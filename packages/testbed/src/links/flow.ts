import type { Socket } from 'node:net';
import { longestWait } from './link-faults.ts';

/** What happens to bytes on their way in one direction. */
export interface Condition {
  /** Nothing arrives. */
  readonly held: boolean;
  /** How long the next bytes take, in milliseconds; undefined: no time. */
  readonly delay?: () => number;
  /** Bytes leave in pieces of this size, each taking this long. */
  readonly pace?: { readonly bytes: number; readonly everyMs: number };
  /** The connection is cut after this many bytes. */
  readonly cutAfter?: number;
}

interface Piece {
  readonly bytes: Buffer;
  /** When it came, on the monotonic clock. */
  readonly came: number;
  /** When it arrives, on the monotonic clock. */
  readonly due: number;
}

/** Waiting beyond this stops the sender, as a full window does: more for a long way than for a narrow one. */
const longWay = 8 * 1024 * 1024;
const narrowWay = 64 * 1024;

/** One direction of one connection. While nothing is wrong it only hands over: no queue, no timer, no copy. */
export class Flow {
  readonly #source: Socket;
  readonly #sink: Socket;
  readonly #cut: () => void;
  #condition: Condition;
  #queue: Piece[] = [];
  #waiting = 0;
  #sentUntil = 0;
  #lastDue = 0;
  #left: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #full = false;
  #ended = false;
  #over = false;

  /** `cut` is called when the bytes before the cut have been handed over. */
  constructor(source: Socket, sink: Socket, condition: Condition, cut: () => void) {
    this.#source = source;
    this.#sink = sink;
    this.#cut = cut;
    this.#condition = condition;
    this.#left = condition.cutAfter;
    source.on('data', (bytes: Buffer) => this.#take(bytes));
    source.on('end', () => {
      this.#ended = true;
      this.#flush();
    });
    sink.on('drain', () => {
      this.#full = false;
      this.#flush();
    });
    this.#flush();
  }

  get held(): boolean {
    return this.#condition.held;
  }

  /** Takes effect at once, also for what is on its way: a link that is well again delivers it now. */
  apply(condition: Condition): void {
    const { delay, pace, cutAfter } = this.#condition;
    this.#condition = condition;
    if (condition.cutAfter !== cutAfter) this.#left = condition.cutAfter;
    if (condition.delay !== delay || condition.pace !== pace) {
      const queue = this.#queue;
      this.#queue = [];
      this.#waiting = 0;
      this.#sentUntil = 0;
      this.#lastDue = 0;
      for (const { bytes, came } of queue) this.#enqueue(bytes, came);
    }
    this.#flush();
  }

  stop(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#queue = [];
  }

  #take(bytes: Buffer): void {
    if (this.#over) return;
    const { held, delay, pace } = this.#condition;
    if (held || delay || pace || this.#queue.length > 0) {
      this.#enqueue(bytes, performance.now());
      this.#flush();
    } else {
      this.#deliver(bytes);
      if (this.#full) this.#source.pause();
    }
  }

  #enqueue(bytes: Buffer, came: number): void {
    const { delay, pace } = this.#condition;
    const size = pace?.bytes ?? bytes.length;
    // What came long ago has been late for so long, but a narrow way was not free for it.
    const from = pace ? performance.now() : came;
    for (let start = 0; start < bytes.length; start += size) {
      const piece = bytes.subarray(start, start + size);
      const sending = pace ? (piece.length / pace.bytes) * pace.everyMs : 0;
      this.#sentUntil = Math.max(this.#sentUntil, from) + sending;
      this.#lastDue = Math.max(this.#lastDue, this.#sentUntil + (delay?.() ?? 0));
      this.#queue.push({ bytes: piece, came, due: this.#lastDue });
    }
    this.#waiting += bytes.length;
  }

  /** Delivers what is due, sees to the next, and lets the sender go on or wait. */
  #flush(): void {
    clearTimeout(this.#timer);
    if (this.#over) return;
    if (this.#condition.held) {
      this.#source.pause();
      return;
    }
    const now = performance.now();
    let done = 0;
    for (const { bytes, due } of this.#queue) {
      if (due > now || this.#full || this.#over) break;
      this.#waiting -= bytes.length;
      done += 1;
      this.#deliver(bytes);
    }
    if (this.#over) return;
    this.#queue.splice(0, done);
    const [next] = this.#queue;
    if (next && !this.#full) {
      const wait = Math.min(longestWait, Math.max(1, Math.ceil(next.due - now)));
      this.#timer = setTimeout(() => this.#flush(), wait).unref();
    }
    if (!next && this.#ended) this.#sink.end();
    if (this.#full || this.#waiting > (this.#condition.pace ? narrowWay : longWay)) this.#source.pause();
    else this.#source.resume();
  }

  #deliver(bytes: Buffer): void {
    if (this.#left !== undefined && bytes.length >= this.#left) {
      this.#sink.write(bytes.subarray(0, this.#left));
      this.stop();
      this.#cut();
      return;
    }
    if (this.#left !== undefined) this.#left -= bytes.length;
    if (!this.#sink.write(bytes)) this.#full = true;
  }
}
