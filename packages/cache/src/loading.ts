import { AmbiguousError, DeadlineExceededError } from '@quorate/core';
import { Allowance } from './allowance.ts';
import type { Outcome } from './diagnostics.ts';
import type { Keeping } from './entry-options.ts';
import { FencedError } from './errors/fenced-error.ts';
import { RedisRefusedError } from './errors/redis-refused-error.ts';
import { type Found, type Nothing, nothing, open } from './found.ts';
import { type Load, LoadContext } from './load-context.ts';
import { type Checked, nothingWritten } from './parcel.ts';
import { diceOf, seal } from './redis/envelope.ts';
import { leaseOf } from './redis/key-names.ts';
import { type Silence, silence } from './redis/link.ts';
import { keyMessage, wakeMessage } from './redis/message.ts';
import { claim, fill } from './redis/scripts.ts';
import type { Source } from './stats.ts';
import { fenceLife, type Store } from './store.ts';

/** What is to be brought, and how. */
export interface Errand {
  readonly key: string;
  readonly load: Load<unknown>;
  readonly keeping: Keeping;
  readonly version: string | undefined;
  /** The load takes care of bulkhead, breaker and its time itself: it is part of a load of many. */
  readonly guarded: boolean;
  /** Called when another process loads it. */
  readonly aside: (() => void) | undefined;
  /** A refresh: a value is at hand, and is fresh until then by the server's clock. Only a later one is of any use. */
  readonly beyond?: number;
}

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

/** A value that was loaded, on its way to where it is kept. */
interface Cargo {
  readonly value: unknown;
  readonly keeping: Keeping;
  /** What the clock of invalidations read before the load began. */
  readonly clock: number;
  readonly loadMs: number;
}

/** Without the channel nobody wakes us: look again this often, in milliseconds. */
const lookAgain = 100;

/** Brings what is not in Redis: from whoever loads it already, else from the origin, under the lease that makes it one load for all processes. */
export class Loading {
  readonly #store: Store;
  readonly #errand: Errand;
  readonly #traveller: Traveller;
  readonly #entry: string;
  readonly #owner: string;
  #allowance: Allowance | undefined = undefined;
  #ended: { readonly reason: unknown } | undefined = undefined;
  #woken = false;
  #wake: (() => void) | undefined = undefined;

  constructor(store: Store, errand: Errand, traveller: Traveller) {
    this.#store = store;
    this.#errand = errand;
    this.#traveller = traveller;
    this.#entry = store.names.entry(errand.key, errand.version);
    this.#owner = `${store.id}:${nextNumber()}`;
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

  /** Asks for the right to load until it has it, or until somebody else has loaded. `seen` is the token of what is no good. */
  async fetch(seen: Buffer = nothing.seen): Promise<Brought> {
    const store = this.#store;
    const begin = performance.now();
    using _line = store.waiting.join(this.#errand.key, this);
    for (let before = seen; ; ) {
      this.#woken = false;
      const answer = await this.#claim(before);
      if (answer === silence) return await this.#unanswered();
      if (answer === 1) return await this.#load(true);
      let bytes: Buffer | null | Silence;
      if (typeof answer === 'number') {
        // Once for each key, however many turns it takes.
        if (this.#traveller.outcome !== 'wait') store.counters.elsewhere += 1;
        this.#errand.aside?.();
        this.#traveller.outcome = 'wait';
        await this.#wakeCall(-answer, begin + store.settings.loadTimeout);
        bytes = await store.link.read(this.#entry);
      } else {
        bytes = answer;
      }
      const found = bytes === silence ? silence : await this.#look(bytes);
      if (found === silence) return await this.#unanswered();
      if ('value' in found) {
        const { value, bytes: size, envelope } = found;
        if (!this.#traveller.dirty) store.adoptEnvelope(this.#errand, value, size, envelope, performance.now());
        return { value, tags: envelope.tags, clock: envelope.clock };
      }
      before = found.seen;
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
    const { coherence, leases } = this.#store;
    const { key, keeping, load, version, guarded } = this.#errand;
    if (leased) leases.hold(this.#entry, this.#owner);
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
      const value = await (guarded ? work() : this.#guarded(allowance, work));
      const kept = LoadContext.keepingOf(context);
      const cargo = { value, keeping: kept, clock, loadMs: performance.now() - begin };
      return { value: await this.#deliver(cargo, allowance, leased), tags: kept.tags, clock };
    } finally {
      // Whatever has become of it, nobody is to wait for us; after a delivery there is nothing to give back.
      if (leased && leases.holds(this.#entry, this.#owner)) await this.#fill('', 1, '');
    }
  }

  /** Keeps what was loaded where it may be kept, and gives what all others will get. */
  async #deliver(cargo: Cargo, allowance: Allowance, leased: boolean): Promise<unknown> {
    const { parcel, settings, counters } = this.#store;
    const { value, keeping } = cargo;
    const absent = value === undefined;
    const [ttl, stale] = absent ? [keeping.negative, 0] : [keeping.ttl, keeping.stale];
    // What is part of a load of many has had no time of its own so far.
    allowance.start();
    const check = (): Promise<Checked> => parcel.check(this.#errand.key, value, keeping.schema);
    const checked = absent ? nothingWritten : await allowance.bound(check);
    const { value: kept } = checked.kept;
    if (ttl === 0) return kept;
    if (checked.written.bytes > settings.maxValueBytes || !(await this.#stillValid(cargo))) {
      counters.notKept += 1;
      return kept;
    }
    await this.#keep(cargo, checked, leased, ttl, stale);
    return kept;
  }

  async #keep(cargo: Cargo, checked: Checked, leased: boolean, ttl: number, stale: number): Promise<void> {
    const store = this.#store;
    const { value, keeping, clock, loadMs } = cargo;
    const absent = value === undefined;
    const token = newToken();
    // Before it is sent: what is kept here ends no later than what Redis has.
    const freshUntil = performance.now() + ttl;
    if (leased) {
      const outcome = await this.#send(cargo, checked.written, token, ttl, stale);
      if (outcome === 2) throw new FencedError(this.#errand.key, keeping.fence ?? 0n);
      if (outcome === 0) {
        store.counters.notKept += 1;
        return;
      }
    }
    // Without Redis's word it is kept in this process alone, for as long as that may be trusted.
    if (this.#traveller.dirty) return;
    const refreshAt = store.refreshAt({ freshUntil, loadMs, absent, dice: diceOf(token) });
    const times = { freshUntil, staleUntil: freshUntil + stale, refreshAt };
    const { value: kept, bytes } = checked.kept;
    store.adopt(this.#errand, kept, bytes, keeping.tags, clock, times);
  }

  async #send(cargo: Cargo, written: Checked['written'], token: number, ttl: number, stale: number): Promise<unknown> {
    const { parcel, settings, link } = this.#store;
    const { value, keeping, clock, loadMs } = cargo;
    const { payload, compressed } = await parcel.pack(written);
    const freshUntil = link.serverTime(performance.now()) + ttl;
    const sealed = seal(
      {
        absent: value === undefined,
        compressed,
        serializer: settings.serializer.name,
        freshUntil,
        staleUntil: freshUntil + stale,
        loadMs,
        clock,
        token,
        tags: keeping.tags,
      },
      payload,
    );
    return await this.#fill(sealed, ttl + stale, keeping.fence?.toString() ?? '');
  }

  /** What its loader has said of it goes for its tags too: they are remembered for as long, and may have been invalidated. */
  async #stillValid({ keeping, clock }: Cargo): Promise<boolean> {
    const { coherence, link, names } = this.#store;
    const { tags, ttl, stale } = keeping;
    if (keeping === this.#errand.keeping || tags.length === 0 || link.away(names.clock)) return true;
    await coherence.tags.prepare(tags, ttl + stale);
    return (await coherence.tags.check(tags, clock)) !== false;
  }

  async #look(bytes: Buffer | null): Promise<Found | Nothing | Silence> {
    if (bytes === null) return nothing;
    using allowance = this.#allow('schema');
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

  /** The entry, when it is another than the one we have seen; 1 when it is ours to load; else for how long another has that right, below 0. */
  async #claim(seen: Buffer): Promise<Buffer | number | Silence> {
    const { link, settings, id } = this.#store;
    const keys = [this.#entry, leaseOf(this.#entry)];
    try {
      const reply = await link.run(claim, keys, [this.#owner, String(settings.lease), seen, id]);
      return reply as Buffer | number | Silence;
    } catch (error) {
      // Redis refuses: it is full, or we may not write. The value can be had all the same, but not under a token.
      const { key, keeping } = this.#errand;
      if (keeping.fence !== undefined)
        throw new RedisRefusedError(`reading ${key} under token ${keeping.fence}`, error);
      return silence;
    }
  }

  /** 1 kept, 0 not: the lease was lost; 2 not: a newer token has written. */
  async #fill(value: string | Buffer, life: number, fence: string): Promise<unknown> {
    const { names, link, sender, leases } = this.#store;
    const { key, version } = this.#errand;
    leases.letGo(this.#entry, this.#owner);
    const keys = [this.#entry, leaseOf(this.#entry), names.fence(key, version)];
    const wakeUp = [`${names.channel}:`, wakeMessage(key), names.channel, keyMessage(sender, key)];
    const args = [this.#owner, value, String(life), fence, String(fenceLife), ...wakeUp];
    const reply = await link.run(fill, keys, args).catch(() => 0);
    if (reply === silence) this.#store.unanswered();
    return reply;
  }

  /** Until somebody says that there is something to look at, or the lease must be over. */
  async #wakeCall(leaseLeft: number, until: number): Promise<void> {
    const { coherence, settings } = this.#store;
    const left = until - performance.now();
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
    if (!this.#woken && performance.now() >= until) {
      const what = `${this.#errand.key}: another process loads it, and did not finish within ${settings.loadTimeout} ms`;
      throw new DeadlineExceededError(what);
    }
  }

  /** When it is our turn, and while the origin is not known to be ill. */
  async #guarded(allowance: Allowance, work: () => Promise<unknown>): Promise<unknown> {
    const { key, keeping } = this.#errand;
    return await this.#store.origin.call([key], keeping.origin, allowance, work);
  }
}

/** Unlike the token of any other value. */
function newToken(): number {
  return Math.trunc(Math.random() * 2 ** 52) + 1;
}

let numbers = 0;
function nextNumber(): string {
  numbers += 1;
  return numbers.toString(36);
}
