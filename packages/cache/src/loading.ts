import { AmbiguousError, DeadlineExceededError } from '@quorate/core';
import { Allowance } from './allowance.ts';
import { Cargo } from './cargo.ts';
import type { Outcome } from './diagnostics.ts';
import type { Errand } from './errand.ts';
import { type Found, type Nothing, nothing, open } from './found.ts';
import { Lease } from './lease.ts';
import { LoadContext } from './load-context.ts';
import { type Silence, silence } from './redis/link.ts';
import type { Source } from './stats.ts';
import type { Store } from './store.ts';

/** For whom it is loaded. */
interface Traveller {
  readonly dirty: boolean;
  outcome: Outcome;
  count(source: Source): void;
}

/** A value for those who wait, and how it is found by what is changed meanwhile. */
export interface Brought {
  /** What this process keeps of it; see `Parcel.reveal`. */
  readonly value: unknown;
  readonly tags: readonly string[];
  readonly clock: number;
}

/** Without the channel nobody wakes us: look again this often, in milliseconds. */
const lookAgain = 100;

/** Brings what is not in Redis: from whoever loads it already, else from the origin, under the lease that makes it one load for all processes. */
export class Loading {
  readonly #store: Store;
  readonly #errand: Errand;
  readonly #traveller: Traveller;
  readonly #lease: Lease;
  /** For so long it waits for others, and for the schema of what it finds. */
  readonly #until: number;
  #allowance: Allowance | undefined = undefined;
  #ended: { readonly reason: unknown } | undefined = undefined;
  #line: Disposable | undefined = undefined;
  #woken = false;
  #wake: (() => void) | undefined = undefined;

  constructor(store: Store, errand: Errand, traveller: Traveller) {
    this.#store = store;
    this.#errand = errand;
    this.#traveller = traveller;
    this.#lease = new Lease(store, errand);
    this.#until = performance.now() + store.settings.loadTimeout;
  }

  abort(reason: unknown): void {
    this.#ended = { reason };
    this.#allowance?.abort(reason);
    this.#wake?.();
  }

  /** Word from the process that loads: there is something to look at. */
  wake(): void {
    this.#woken = true;
    this.#wake?.();
  }

  /** Asks for the right to load, see `Lease.claim`. From now on it is told when there is something to look at, until it is left. */
  claim(seen: Buffer = nothing.seen): Promise<Buffer | number | Silence> {
    this.#line ??= this.#store.waiting.join(this.#errand.key, this);
    this.#woken = false;
    return this.#lease.claim(seen);
  }

  leave(): void {
    this.#line?.[Symbol.dispose]();
  }

  /**
   * Asks for the right to load until it has it, or until somebody else has loaded. `seen` is the token of what is no good,
   * `claimed` the answer of who has asked already.
   */
  async fetch(seen?: Buffer, claimed?: number): Promise<Brought> {
    const store = this.#store;
    for (let answer = claimed ?? (await this.claim(seen)); ; ) {
      if (answer === silence) return await this.#unanswered();
      if (answer === 1) return await this.#load(true);
      let bytes: Buffer | null | Silence;
      if (typeof answer === 'number') {
        // Once for each key, however many turns it takes.
        if (this.#traveller.outcome !== 'wait') store.counters.elsewhere += 1;
        this.#errand.aside?.();
        this.#traveller.outcome = 'wait';
        await this.#wakeCall(-answer);
        bytes = await store.link.read(this.#lease.entry);
      } else {
        bytes = answer;
      }
      const found = bytes === silence ? silence : await this.look(bytes);
      if (found === silence) return await this.#unanswered();
      if ('value' in found) {
        const { value, bytes: size, envelope } = found;
        if (!this.#traveller.dirty) store.adoptEnvelope(this.#errand, value, size, envelope, performance.now());
        return { value, tags: envelope.tags, clock: envelope.clock };
      }
      answer = await this.claim(found.seen);
    }
  }

  /** Redis is away: what this process has, as long as it is to be trusted, and else the origin. */
  async alone(): Promise<Brought> {
    const { local } = this.#store;
    const { key, version, keeping, beyond } = this.#errand;
    const now = performance.now();
    const entry = keeping.fence === undefined ? local?.get(key) : undefined;
    const alive =
      entry !== undefined && entry.version === version && now < Math.max(entry.freshUntil, entry.staleUntil);
    if (alive && beyond === undefined && this.#store.coherence.vouches(entry, now)) {
      const fresh = now < entry.freshUntil;
      this.#traveller.count(fresh ? 'localHits' : 'staleServed');
      this.#traveller.outcome = fresh ? 'local' : 'stale';
      return { value: entry.value, tags: entry.tagging?.tags ?? [], clock: entry.tagging?.clock ?? 0 };
    }
    this.#traveller.count('misses');
    return await this.#unanswered();
  }

  /** Redis is silent: the origin's word will do, but not under a token. What is written next would overwrite what stands. */
  async #unanswered(): Promise<Brought> {
    const { key, keeping } = this.#errand;
    if (keeping.fence === undefined) return await this.#load(false);
    const what = `reading ${key} under token ${keeping.fence}`;
    throw new AmbiguousError(`${what}: Redis stopped answering; its value is not known, read it again before writing`);
  }

  /** Loads under the lease, or without one while Redis is away. */
  async #load(leased: boolean): Promise<Brought> {
    const { coherence, origin } = this.#store;
    const { key, keeping, load, version, guarded } = this.#errand;
    if (leased) this.#lease.hold();
    this.#traveller.outcome = 'load';
    try {
      await coherence.tags.prepare(keeping.tags, keeping.ttl + keeping.stale);
      const clock = coherence.tags.now;
      let begin = performance.now();
      using allowance = this.#allow('loader or schema');
      const context = new LoadContext(key, allowance, version, keeping);
      const work = (): Promise<unknown> => {
        begin = performance.now();
        return allowance.bound(() => load(context));
      };
      // When it is its turn, and while the origin is not known to be ill; a load of many has seen to that.
      const value = await (guarded ? work() : origin.call([key], keeping.origin, allowance, work));
      const kept = LoadContext.keepingOf(context);
      const cargo = new Cargo(this.#store, this.#errand, {
        value,
        keeping: kept,
        clock,
        loadMs: performance.now() - begin,
      });
      const lease = leased ? this.#lease : undefined;
      return { value: await cargo.deliver(allowance, lease, this.#traveller), tags: kept.tags, clock };
    } finally {
      // Whatever has become of it, nobody is to wait for us; after a delivery there is nothing to give back.
      await this.#lease.giveBack();
    }
  }

  /** What the bytes in Redis come to. A schema that hangs would hang as well for what is loaded in their place: nothing is. */
  async look(bytes: Buffer | null): Promise<Found | Nothing | Silence> {
    if (bytes === null) return nothing;
    using allowance = this.#allow('schema');
    allowance.start(this.#until - performance.now());
    return await allowance.bound(() => open(this.#store, this.#errand.keeping, bytes));
  }

  /** Time for what others do, which ends when this load is aborted. */
  #allow(whose: string): Allowance {
    const { settings } = this.#store;
    const allowance = new Allowance(settings.loadTimeout, `${this.#errand.key}: its ${whose} did not finish`);
    if (this.#ended) allowance.abort(this.#ended.reason);
    this.#allowance = allowance;
    return allowance;
  }

  /** Until somebody says that there is something to look at, or the lease must be over. */
  async #wakeCall(leaseLeft: number): Promise<void> {
    const { coherence, settings } = this.#store;
    const left = this.#until - performance.now();
    if (!this.#woken && left > 0 && !this.#ended) {
      const lease = coherence.subscribed ? leaseLeft : Math.min(lookAgain, leaseLeft);
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, Math.max(1, Math.min(lease, left))).unref();
      this.#wake = resolve;
      await promise;
      this.#wake = undefined;
      clearTimeout(timer);
    }
    if (this.#ended) throw this.#ended.reason;
    if (!this.#woken && performance.now() >= this.#until) {
      const what = `${this.#errand.key}: another process loads it, and did not finish within ${settings.loadTimeout} ms`;
      throw new DeadlineExceededError(what);
    }
  }
}
