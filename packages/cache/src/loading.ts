import { AmbiguousError, DeadlineExceededError } from '@quorate/core';
import { Allowance } from './allowance.ts';
import { loads, type Outcome } from './diagnostics.ts';
import type { Keeping } from './entry-options.ts';
import { FencedError } from './errors/fenced-error.ts';
import { RedisRefusedError } from './errors/redis-refused-error.ts';
import { type Found, type Nothing, nothing, open } from './found.ts';
import { type Load, LoadContext } from './load-context.ts';
import { nothingWritten, type Written } from './parcel.ts';
import { seal } from './redis/envelope.ts';
import { leaseOf, waitersOf } from './redis/key-names.ts';
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
  async fetch(seen: Buffer = nothing.seen): Promise<unknown> {
    const store = this.#store;
    const begin = performance.now();
    using _line = store.waitInLine(this.#errand.key, this);
    for (let before = seen; ; ) {
      this.#woken = false;
      const answer = await this.#claim(before);
      if (answer === silence) return await this.#unanswered();
      const [kind, detail] = answer;
      if (kind === 1) return await this.#load(String(detail));
      if (kind === 0) {
        store.counters.elsewhere += 1;
        this.#errand.aside?.();
        this.#traveller.outcome = 'wait';
        await this.#wakeCall(Number(detail), begin + store.settings.loadTimeout);
      }
      const found = await this.#look();
      if (found === silence) return await this.#unanswered();
      if ('value' in found) {
        const { value, bytes, envelope } = found;
        if (!this.#traveller.dirty) store.adoptEnvelope(this.#errand, value, bytes, envelope, performance.now());
        return found.value;
      }
      before = found.seen;
    }
  }

  /** Redis is away: what this process has, as long as it is to be trusted, and else the origin. */
  async alone(): Promise<unknown> {
    const { local } = this.#store;
    const { key, version, keeping, beyond } = this.#errand;
    if (keeping.fence !== undefined) return await this.#unanswered();
    const now = performance.now();
    const entry = local?.get(key);
    const same = entry !== undefined && entry.version === version;
    if (same && beyond === undefined && now < entry.freshUntil && this.#store.vouches(entry, now)) {
      this.#traveller.count('localHits');
      this.#traveller.outcome = 'local';
      return entry.value;
    }
    this.#traveller.count('misses');
    return await this.#unanswered();
  }

  /** Redis is silent: the origin's word will do, but not under a token. What is written next would overwrite what stands. */
  async #unanswered(): Promise<unknown> {
    const { key, keeping } = this.#errand;
    if (keeping.fence === undefined) return await this.#load(undefined);
    const what = `reading ${key} under token ${keeping.fence}`;
    throw new AmbiguousError(`${what}: Redis stopped answering; its value is not known, read it again before writing`);
  }

  /** Loads under a lease, or without one while Redis is away. */
  async #load(token: string | undefined): Promise<unknown> {
    const store = this.#store;
    const { key, keeping, load, version, guarded } = this.#errand;
    const held = token === undefined ? undefined : `${token} ${this.#owner}`;
    if (held !== undefined) store.hold(this.#entry, held);
    this.#traveller.outcome = 'load';
    try {
      if (keeping.tags.length > 0) await store.tags.prepare(keeping.tags);
      const clock = store.tags.now;
      let begin = performance.now();
      using allowance = new Allowance(store.settings.loadTimeout, `${key}: its loader did not finish`);
      if (this.#ended) allowance.abort(this.#ended.reason);
      this.#allowance = allowance;
      const context = new LoadContext(key, allowance, version, keeping);
      const work = (): Promise<unknown> => {
        begin = performance.now();
        return allowance.bound(() => load(context));
      };
      const value = await (guarded ? work() : this.#guarded(allowance, work));
      const cargo = { value, keeping: LoadContext.keepingOf(context), clock, loadMs: performance.now() - begin };
      return await this.#deliver(cargo, held);
    } finally {
      // Whatever has become of it, nobody is to wait for us; after a delivery there is nothing to give back.
      if (held !== undefined && store.holds(this.#entry, held)) await this.#fill(held, '', 1, '');
    }
  }

  /** Keeps what was loaded where it may be kept, and gives what all others will get. */
  async #deliver(cargo: Cargo, held: string | undefined): Promise<unknown> {
    const { parcel, settings, counters } = this.#store;
    const { value, keeping, clock, loadMs } = cargo;
    const absent = value === undefined;
    const [ttl, stale] = absent ? [keeping.negative, 0] : [keeping.ttl, keeping.stale];
    const checked = absent ? nothingWritten : await parcel.check(this.#errand.key, value, keeping.schema);
    const { written } = checked;
    const { value: kept, bytes } = checked.kept;
    if (ttl === 0) return kept;
    if (written.bytes > settings.maxValueBytes || !(await this.#stillValid(cargo))) {
      counters.notKept += 1;
      return kept;
    }
    // Before it is sent: what is kept here ends no later than what Redis has.
    const freshUntil = performance.now() + ttl;
    if (held !== undefined) {
      const outcome = await this.#send(cargo, written, held, ttl, stale);
      if (outcome === 2) throw new FencedError(this.#errand.key, keeping.fence ?? 0n);
      if (outcome === 0) {
        counters.notKept += 1;
        return kept;
      }
    }
    // Without Redis's word it is kept in this process alone, for as long as that may be trusted.
    const times = { freshUntil, staleUntil: freshUntil + stale, loadMs, absent };
    if (!this.#traveller.dirty) this.#store.adopt(this.#errand, kept, bytes, keeping.tags, clock, times);
    return kept;
  }

  async #send(cargo: Cargo, written: Written, held: string, ttl: number, stale: number): Promise<unknown> {
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
        token: Number(held.slice(0, held.indexOf(' '))),
        tags: keeping.tags,
      },
      payload,
    );
    return await this.#fill(held, sealed, ttl + stale, keeping.fence?.toString() ?? '');
  }

  /** Tags that the loader has thought of may have been invalidated while it loaded. */
  async #stillValid({ keeping, clock }: Cargo): Promise<boolean> {
    if (keeping.tags.length === this.#errand.keeping.tags.length || this.#store.link.away) return true;
    return (await this.#store.tags.check(keeping.tags, clock)) !== false;
  }

  async #look(): Promise<Found | Nothing | Silence> {
    const bytes = await this.#store.link.read(this.#entry);
    if (bytes === silence) return silence;
    return bytes === null ? nothing : await open(this.#store, this.#errand.keeping, bytes);
  }

  async #claim(seen: Buffer): Promise<readonly [0 | 1 | 2, number | string] | Silence> {
    const { link, settings, id } = this.#store;
    const keys = [this.#entry, leaseOf(this.#entry), waitersOf(this.#entry)];
    try {
      const reply = await link.run(claim, keys, [this.#owner, String(settings.lease), seen, id]);
      return reply === silence ? silence : (reply as [0 | 1 | 2, number | string]);
    } catch (error) {
      // Redis refuses: it is full, or we may not write. The value can be had all the same, but not under a token.
      const { key, keeping } = this.#errand;
      if (keeping.fence !== undefined)
        throw new RedisRefusedError(`reading ${key} under token ${keeping.fence}`, error);
      return silence;
    }
  }

  /** 1 kept, 0 not: the lease was lost; 2 not: a newer token has written. */
  async #fill(held: string, value: string | Buffer, life: number, fence: string): Promise<unknown> {
    const { names, link, id } = this.#store;
    const { key, version } = this.#errand;
    this.#store.letGo(this.#entry);
    const keys = [this.#entry, leaseOf(this.#entry), waitersOf(this.#entry), names.fence(key, version)];
    const wakeUp = [`${names.channel}:`, wakeMessage(key), names.channel, keyMessage(id, key)];
    return await link.run(fill, keys, [held, value, String(life), fence, String(fenceLife), ...wakeUp]).catch(() => 0);
  }

  /** Until somebody says that there is something to look at, or the lease must be over. */
  async #wakeCall(leaseLeft: number, until: number): Promise<void> {
    const { channelOpen, settings } = this.#store;
    const left = until - performance.now();
    if (!this.#woken && left > 0 && !this.#ended) {
      const lease = channelOpen ? leaseLeft : Math.min(lookAgain, leaseLeft);
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
    const { origin, counters } = this.#store;
    return await origin.call(key, keeping.origin, allowance, () => counters.counted(() => this.#traced(work)));
  }

  /** The channel would publish what a traced promise gives: values are nobody else's business. */
  async #traced(work: () => Promise<unknown>): Promise<unknown> {
    if (!loads.hasSubscribers) return work();
    const { key, keeping } = this.#errand;
    let value: unknown;
    const untold = async (): Promise<void> => {
      value = await work();
    };
    await loads.tracePromise(untold, { cache: this.#store.settings.prefix, key, origin: keeping.origin });
    return value;
  }
}

let numbers = 0;
function nextNumber(): string {
  numbers += 1;
  return numbers.toString(36);
}
