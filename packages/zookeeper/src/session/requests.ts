import { Fifo } from './fifo.ts';
import type { Request } from './request.ts';

/** The requests nobody has answered yet, and what becomes of each kind when the connection or the session ends. */
export class Requests {
  #waiting = new Fifo<Request>();
  readonly #sent = new Fifo<Request>();

  get hasWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  get underWay(): number {
    return this.#sent.length;
  }

  /** Of those under way. */
  get oldest(): Request | undefined {
    return this.#sent.peek();
  }

  get size(): number {
    return this.#waiting.length + this.#sent.length;
  }

  wait(request: Request): void {
    this.#waiting.push(request);
  }

  /** The next one to send, skipping those nobody waits for any more. */
  next(): Request | undefined {
    let request = this.#waiting.shift();
    while (request?.settled) request = this.#waiting.shift();
    return request;
  }

  sent(request: Request): void {
    this.#sent.push(request);
  }

  /** Takes out the oldest request under way, if it has this number: replies come in order. */
  answered(xid: number): Request | undefined {
    return this.#sent.peek()?.xid === xid ? this.#sent.shift() : undefined;
  }

  /** What only reads is asked again, ahead of anything newer; a write may or may not have happened. */
  connectionLost(cause: unknown): void {
    const again = new Fifo<Request>();
    for (const request of this.#sent.drain()) {
      if (request.operation.writes) request.rejectAsAmbiguous(cause);
      else if (request.transient) request.reject(cause);
      else if (!request.settled) {
        request.xid = 0;
        again.push(request);
      }
    }
    for (const request of this.#waiting.drain()) {
      if (request.transient) request.reject(cause);
      else if (!request.settled) again.push(request);
    }
    this.#waiting = again;
  }

  /** We are closing: what was not sent never will be. What was sent is still answered, ahead of the closing. */
  rejectWaiting(error: unknown): void {
    for (const request of this.#waiting.drain()) request.reject(error);
  }

  /** The session is over. */
  rejectAll(error: unknown): void {
    for (const request of this.#sent.drain()) {
      if (request.operation.writes) request.rejectAsAmbiguous(error);
      else request.reject(error);
    }
    this.rejectWaiting(error);
  }
}
