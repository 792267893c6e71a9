import { connect, type Socket } from 'node:net';
import { type Condition, Flow } from './flow.ts';
import type { LinkFaults } from './link-faults.ts';
import { reset } from './reset.ts';

/** Who opens a connection, and to whom. */
export interface Passage {
  readonly from: string;
  readonly to: string;
  /** The port of `to` on loopback. */
  readonly port: number;
  /** Where it listens there. Default 127.0.0.1. */
  readonly host?: string;
  /** Told once whether `to` was reached, before any byte passes. Without it, whom it does not reach is reset. */
  readonly answer?: (reached: boolean) => void;
}

/** What is wrong with the link now. */
export interface Weather {
  readonly faults: LinkFaults;
  /** What holds for bytes that this party sends. */
  condition(sender: string): Condition;
}

/** One connection through a link: what one party opened, and what we opened to the other for it. */
export class Connection {
  readonly #near: Socket;
  readonly #passage: Passage;
  readonly #closed: () => void;
  #weather: Weather;
  #far: Socket | undefined;
  #there: Flow | undefined;
  #back: Flow | undefined;
  /** Who is left with a connection that the other party no longer has. */
  #stale: Socket | undefined;
  /** One party is gone, and the other cannot know it yet. */
  #gone: Socket | undefined;
  #over = false;

  /** `near` is paused. Nothing happens before the first `apply`. */
  constructor(near: Socket, passage: Passage, weather: Weather, closed: () => void) {
    this.#near = near;
    this.#passage = passage;
    this.#weather = weather;
    this.#closed = closed;
    near.setNoDelay(true);
    near.unref();
    near.on('error', () => {});
    near.on('close', () => this.#lost(near));
  }

  apply(weather: Weather): void {
    const { faults } = weather;
    this.#weather = weather;
    if (this.#over) return;
    if (faults.refuse || (this.#stale && faults.halfOpen === undefined)) this.reset();
    else if (!this.#far) this.#dial();
    else if (!this.#stale) {
      this.#there?.apply(weather.condition(this.#passage.from));
      this.#back?.apply(weather.condition(this.#passage.to));
      if (this.#gone) this.#lost(this.#gone);
    }
  }

  /** From now on only this party has it, and does not know. */
  leaveTo(party: string): void {
    const far = this.#far;
    if (this.#over || this.#stale || !far) return;
    const [kept, dropped] = party === this.#passage.from ? [this.#near, far] : [far, this.#near];
    this.#stale = kept;
    this.#there?.stop();
    this.#back?.stop();
    kept.pause();
    reset(dropped);
  }

  /** A reset for both parties. */
  reset(): void {
    this.#end(reset);
  }

  close(): void {
    this.#end((socket) => void socket.destroy());
  }

  #dial(): void {
    const { from, to, port, host = '127.0.0.1', answer } = this.#passage;
    // Neither a SYN nor its answer comes through: the other party must not see a connection.
    if (this.#weather.condition(from).held || this.#weather.condition(to).held) return;
    const far = connect({ host, port, allowHalfOpen: true, noDelay: true });
    this.#far = far;
    far.unref();
    far.on('error', () => {});
    far.on('close', () => this.#lost(far));
    far.once('connect', () => {
      if (this.#over) return;
      answer?.(true);
      const cut = (): void => this.#cut();
      this.#there = new Flow(this.#near, far, this.#weather.condition(from), cut);
      this.#back = new Flow(far, this.#near, this.#weather.condition(to), cut);
    });
  }

  /** One of the sockets is closed: the other follows, unless the news of it cannot get through. */
  #lost(socket: Socket): void {
    if (this.#over || this.#stale) {
      if (socket === this.#stale) this.close();
      return;
    }
    const [other, flow] = socket === this.#near ? [this.#far, this.#there] : [this.#near, this.#back];
    if (flow?.held) {
      this.#gone = socket;
      return;
    }
    if (!this.#there && socket === this.#far && this.#passage.answer) {
      this.#over = true;
      this.#passage.answer(false);
      this.#closed();
      return;
    }
    // After an orderly end both ways, what is still on its way to the other arrives, and then it ends by itself.
    if (socket.readableEnded && socket.writableFinished && other && !other.destroyed) return;
    if (other && !other.destroyed && !socket.writableFinished) reset(other);
    this.close();
  }

  /** Both parties get an end, one of them in the middle of what it was reading. */
  #cut(): void {
    this.#end((socket) => void socket.destroySoon());
  }

  #end(close: (socket: Socket) => void): void {
    if (this.#over) return;
    this.#over = true;
    this.#there?.stop();
    this.#back?.stop();
    for (const socket of [this.#near, this.#far]) if (socket && !socket.destroyed) close(socket);
    this.#closed();
  }
}
