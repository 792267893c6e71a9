import { InvalidArgumentError } from '@quorate/core';
import { MalformedFrameError } from '../errors/malformed-frame-error.ts';
import { ReplyTooLargeError } from '../errors/reply-too-large-error.ts';
import type { Reader } from '../jute/reader.ts';
import { Writer } from '../jute/writer.ts';
import type { Operation } from '../protocol/operation.ts';
import { serverError } from '../protocol/server-errors.ts';
import type { Liveness } from './liveness.ts';
import { Request, type RequestOptions } from './request.ts';
import { Requests } from './requests.ts';
import { Window } from './window.ts';
import type { ReplyHeader, Wire } from './wire.ts';

const lastXid = 2 ** 31 - 1;

export interface PipelineLimits {
  readonly maxRequestSize: number;
  readonly maxReplySize: number;
}

/** Sends requests in the order of the calls, over whatever connection there is, and matches the replies to them. */
export class Pipeline {
  /** The latest transaction that a reply has told of. */
  lastZxid = 0n;
  readonly #limits: PipelineLimits;
  readonly #liveness: Liveness;
  readonly #requests = new Requests();
  readonly #window: Window;
  #wire: Wire | undefined;
  #xid: number;
  /** Called when nothing is under way. */
  #rested: (() => void) | undefined;

  constructor(limits: PipelineLimits, liveness: Liveness, xid = 0) {
    this.#limits = limits;
    this.#liveness = liveness;
    this.#window = new Window(liveness);
    this.#xid = xid;
  }

  /** How many requests are without an answer. */
  get size(): number {
    return this.#requests.size;
  }

  submit<T>(operation: Operation<T>, options: RequestOptions<T>): Promise<T> {
    const request = new Request(operation, options) as Request;
    try {
      const atOnce = options.urgent || (!this.#requests.hasWaiting && this.#hasRoom && !this.#wire?.congested);
      if (this.#wire && atOnce) this.#send(this.#wire, request);
      else {
        request.frame = this.#encode(operation, new Writer(256)).take();
        this.#requests.wait(request);
      }
    } catch (error) {
      request.reject(error);
    }
    return request.promise as Promise<T>;
  }

  /** There is a connection that is ready for requests. */
  attach(wire: Wire): void {
    this.#wire = wire;
    this.#window.reset();
    this.pump();
  }

  /** Sends nothing more over this connection. Resolves when all that was sent has been answered, or never will be. */
  rest(): Promise<void> {
    this.#wire = undefined;
    if (this.#requests.underWay === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#rested = resolve;
    });
  }

  /** The connection is gone; another one may come. */
  detach(cause: unknown): void {
    this.#wire = undefined;
    this.#requests.connectionLost(cause);
    this.#rested?.();
  }

  /** What was not sent never will be; what was sent is still answered. */
  rejectWaiting(error: unknown): void {
    this.#requests.rejectWaiting(error);
  }

  end(error: unknown): void {
    this.#wire = undefined;
    this.#requests.rejectAll(error);
    this.#rested?.();
  }

  /** Sends what waits, as far as the connection takes it. */
  pump(): void {
    while (this.#wire && this.#hasRoom && !this.#wire.congested) {
      const request = this.#requests.next();
      if (!request) return;
      try {
        this.#send(this.#wire, request);
      } catch (error) {
        request.reject(error);
      }
    }
  }

  replied(header: ReplyHeader, body: Reader): void {
    const request = this.#requests.answered(header.xid);
    if (!request) throw new MalformedFrameError(`a reply to request ${header.xid}, out of order`);
    const now = performance.now();
    this.#liveness.answered(request.sentAt, now);
    this.#window.answered(request.operation.code, request.bytes, body.remaining, request.sentAt, now);
    if (this.#requests.hasWaiting) this.pump();
    if (this.#requests.underWay === 0) this.#rested?.();
    if (header.zxid > 0n) this.lastZxid = header.zxid;
    const { operation } = request;
    if (header.err !== 0) {
      request.fail(serverError(header.err, operation));
      return;
    }
    try {
      request.succeed(operation.decode(body, header.zxid));
    } catch (error) {
      if (operation.writes && error instanceof MalformedFrameError) request.rejectAsAmbiguous(error);
      else request.fail(error as Error);
      if (error instanceof MalformedFrameError) throw error;
    }
  }

  /** A reply is too large to be read. Its request is not sent again: the reply would be no smaller. */
  tooLarge(size: number, xid: number): void {
    const request = this.#requests.answered(xid);
    if (!request) return;
    const { operation, path, writes } = request.operation;
    const error = new ReplyTooLargeError(path ? `${operation} ${path}` : operation, size, this.#limits.maxReplySize);
    if (writes) request.rejectAsAmbiguous(error);
    else request.fail(error);
  }

  get #hasRoom(): boolean {
    return this.#window.hasRoom(this.#requests.oldest?.sentAt);
  }

  #send(wire: Wire, request: Request): void {
    const { operation, frame } = request;
    const xid = this.#xid === lastXid ? 1 : this.#xid + 1;
    const now = performance.now();
    request.bytes = wire.send(now, (writer) => {
      writer.int(xid).int(operation.code);
      if (frame) writer.raw(frame);
      else this.#encode(operation, writer);
    });
    this.#xid = xid;
    request.xid = xid;
    request.sentAt = now;
    request.frame = undefined;
    this.#requests.sent(request);
    this.#window.sent(operation.code, request.bytes);
  }

  #encode(operation: Operation<unknown>, writer: Writer): Writer {
    const start = writer.length;
    operation.encode(writer);
    // With the two numbers ahead of it that every request has.
    const size = writer.length - start + 8;
    const limit = this.#limits.maxRequestSize;
    if (size <= limit) return writer;
    throw new InvalidArgumentError('data', `a request of at most ${limit} bytes with its path (maxRequestSize)`, size);
  }
}
