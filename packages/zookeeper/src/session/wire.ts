import { MalformedFrameError } from '../errors/malformed-frame-error.ts';
import type { Reader } from '../jute/reader.ts';
import { Writer } from '../jute/writer.ts';
import { op, reservedXid } from '../protocol/op-codes.ts';
import { readWatchNotification, type WatchNotification } from '../protocol/watch-event.ts';
import type { Connection } from './connection.ts';
import { Fifo } from './fifo.ts';
import type { Liveness } from './liveness.ts';

export interface ReplyHeader {
  readonly xid: number;
  /** The latest transaction the server had applied; 0 or less in what is not a reply of the tree. */
  readonly zxid: bigint;
  readonly err: number;
}

export interface WireEvents {
  /** Called ahead of anything that a frame brings. False: the session is over, and the frame is not looked at. */
  alive(): boolean;
  reply(header: ReplyHeader, body: Reader): void;
  notification(notification: WatchNotification): void;
  tooLarge(size: number, xid: number): void;
  drain(): void;
}

interface Exchange {
  readonly sentAt: number;
  resolve(reply: { err: number; body: Reader }): void;
}

/** Requests and replies over one connection. What is written within one turn of the event loop is sent as one. */
export class Wire {
  readonly #connection: Connection;
  readonly #liveness: Liveness;
  readonly #events: WireEvents;
  readonly #writer = new Writer();
  /** Requests that bypass the queue, by their number: replies to one number come in order. */
  readonly #exchanges = new Map<number, Fifo<Exchange>>();
  #flushing = false;

  constructor(connection: Connection, liveness: Liveness, events: WireEvents) {
    this.#connection = connection;
    this.#liveness = liveness;
    this.#events = events;
    connection.start({
      frame: (reader) => this.#frame(reader),
      tooLarge: (size, xid) => events.tooLarge(size, xid),
      drain: () => events.drain(),
    });
  }

  get server(): string {
    return this.#connection.server;
  }

  get version(): Connection['version'] {
    return this.#connection.version;
  }

  get address(): string {
    return this.#connection.address;
  }

  get ended(): Connection['ended'] {
    return this.#connection.ended;
  }

  get congested(): boolean {
    return this.#connection.congested;
  }

  destroy(why: string, cause?: unknown): void {
    this.#connection.destroy(why, cause);
  }

  /** Writes one frame and returns its size; `encode` writes all of it after its length. */
  send(now: number, encode: (writer: Writer) => void): number {
    const start = this.#writer.beginFrame();
    try {
      encode(this.#writer);
    } catch (error) {
      this.#writer.truncate(start);
      throw error;
    }
    this.#writer.endFrame(start);
    this.#liveness.sent(now);
    if (!this.#flushing) {
      this.#flushing = true;
      process.nextTick(() => this.flush());
    }
    return this.#writer.length - start;
  }

  flush(): void {
    this.#flushing = false;
    if (this.#writer.length > 0) this.#connection.write(this.#writer.take());
  }

  /** A request ahead of and apart from the queue. Never settles when the connection ends first: race it with `ended`. */
  exchange(xid: number, code: number, encode: (writer: Writer) => void): Promise<{ err: number; body: Reader }> {
    const sentAt = performance.now();
    this.send(sentAt, (writer) => encode(writer.int(xid).int(code)));
    return new Promise((resolve) => {
      const exchange = { sentAt, resolve };
      const queue = this.#exchanges.get(xid);
      if (queue) queue.push(exchange);
      else {
        const first = new Fifo<Exchange>();
        first.push(exchange);
        this.#exchanges.set(xid, first);
      }
    });
  }

  ping(): void {
    void this.exchange(reservedXid.ping, op.ping, () => undefined);
  }

  #frame(reader: Reader): void {
    if (!this.#events.alive()) return;
    const header = { xid: reader.int(), zxid: reader.long(), err: reader.int() };
    if (header.xid === reservedXid.notification) {
      this.#events.notification(readWatchNotification(reader));
      return;
    }
    const queue = this.#exchanges.get(header.xid);
    const exchange = queue?.shift();
    if (exchange) {
      if (queue?.length === 0) this.#exchanges.delete(header.xid);
      this.#liveness.answered(exchange.sentAt, performance.now());
      exchange.resolve({ err: header.err, body: reader });
    } else if (header.xid < 0) throw new MalformedFrameError(`a reply to ${header.xid}, which was not asked`);
    else this.#events.reply(header, reader);
  }
}
