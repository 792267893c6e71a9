import type { ZooKeeper } from '@quorate/zookeeper';

/** So often, in parts of the session timeout, the leader is asked for a sign of life while something is held. */
const beats = 1 / 5;
/** Without one for this part of it, holding is no longer certain. */
const patience = 1 / 2;

const pulses = new WeakMap<ZooKeeper, Pulse>();

interface Holding {
  readonly since: number;
  readonly doubt: () => void;
}

/**
 * Whether the leader of the ensemble still hears of a session, for all that is held through it.
 *
 * A member that is cut off from the leader goes on answering for some ticks, pings too, while the leader gives up the
 * sessions of its clients: to the client all looks well, and somebody else holds. So while something is held, we `sync`
 * now and then: only the leader can answer that. When it does not, for half the session timeout, what is held is not certain.
 *
 * Half of it, because the leader counts from when the member has last passed on that it heard of us, which is earlier than
 * what we know of by at most a third of the session timeout, when we last pinged, and half a tick.
 */
export class Pulse {
  readonly #zk: ZooKeeper;
  /** There may be thousands. */
  readonly #holdings = new Set<Holding>();
  /** When the latest sync that was answered had been sent. */
  #provenAt = Number.NEGATIVE_INFINITY;
  /** None of the holdings was proven earlier than this. */
  #earliest = Number.POSITIVE_INFINITY;
  #beatAt = Number.NEGATIVE_INFINITY;
  #beating = false;
  /** Whether nobody is asked, because there is no need to. */
  #isTrusted = false;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer rings. */
  #due = Number.POSITIVE_INFINITY;

  static of(zk: ZooKeeper): Pulse {
    const pulse = pulses.get(zk) ?? new Pulse(zk);
    pulses.set(zk, pulse);
    return pulse;
  }

  /** What is held through this session is certain until the session says otherwise: no clock ends it. */
  static trust(zk: ZooKeeper): void {
    Pulse.of(zk).#isTrusted = true;
  }

  private constructor(zk: ZooKeeper) {
    this.#zk = zk;
  }

  /**
   * `since` is when something was asked for that the leader has answered: what a member tells by itself proves nothing, it may
   * have been cut off meanwhile. `doubt` is called once, when holding is no longer certain. Returns how to say that it is
   * not held any more.
   */
  hold(since: number, doubt: () => void): () => void {
    if (this.#isTrusted) return () => undefined;
    const holding = { since, doubt };
    this.#holdings.add(holding);
    this.#earliest = Math.min(this.#earliest, since);
    // Short holdings, one after the other, neither set a timer each nor ask anything. One that was proven longer ago than the
    // others is in doubt before them.
    if (!this.#timer || this.#certainUntil(holding) < this.#due) this.#arm();
    return () => this.#holdings.delete(holding);
  }

  /** Asks the clock: a process that was stopped must not wait for its timers to know. */
  check(): void {
    const now = performance.now();
    if (now < this.#certainUntil({ since: this.#earliest })) return;
    this.#earliest = Number.POSITIVE_INFINITY;
    for (const holding of this.#holdings) {
      if (now < this.#certainUntil(holding)) {
        this.#earliest = Math.min(this.#earliest, holding.since);
        continue;
      }
      this.#holdings.delete(holding);
      holding.doubt();
    }
  }

  #certainUntil({ since }: Pick<Holding, 'since'>): number {
    return Math.max(since, this.#provenAt) + patience * this.#zk.sessionTimeout;
  }

  #arm(): void {
    let due = this.#beating ? Number.POSITIVE_INFINITY : this.#nextBeat();
    due = Math.min(due, this.#certainUntil({ since: this.#earliest }));
    clearTimeout(this.#timer);
    this.#due = due;
    this.#timer = setTimeout(() => this.#tick(), Math.max(1, due - performance.now())).unref();
  }

  #nextBeat(): number {
    const [first] = this.#holdings;
    return Math.max(this.#beatAt, first?.since ?? 0) + beats * this.#zk.sessionTimeout;
  }

  #tick(): void {
    this.#timer = undefined;
    this.check();
    if (this.#holdings.size === 0 || this.#zk.lost.aborted) return;
    if (!this.#beating && performance.now() >= this.#nextBeat()) this.#beat();
    this.#arm();
  }

  #beat(): void {
    const sentAt = performance.now();
    this.#beating = true;
    this.#beatAt = sentAt;
    const answered = (): void => {
      this.#beating = false;
      if (this.#timer) this.#arm();
    };
    // Ahead of what the caller has waiting: it may be a lot.
    this.#zk.sync('/', { urgent: true }).then(() => {
      this.#provenAt = sentAt;
      answered();
    }, answered);
  }
}
