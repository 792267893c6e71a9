import { DeadlineExceededError, deadline } from '@quorate/core';
import { loads, type Outcome } from './diagnostics.ts';
import type { Keeping } from './entry-options.ts';
import { CacheClosedError } from './errors/cache-closed-error.ts';
import { FencedError } from './errors/fenced-error.ts';
import { type Load, LoadContext } from './load-context.ts';
import { GivenUp } from './origin.ts';
import { type Envelope, seal, tokenOffset, unseal } from './redis/envelope.ts';
import { fenceOf, leaseOf, waitersOf } from './redis/key-names.ts';
import { type Silence, silence } from './redis/link.ts';
import { keyMessage, wakeMessage } from './redis/message.ts';
import { claim, fill } from './redis/scripts.ts';
import { fenceLife, type Store } from './store.ts';

/** What a flight is for. */
export interface Errand {
  readonly key: string;
  readonly load: Load<unknown>;
  readonly keeping: Keeping;
  readonly version: string | undefined;
  /** The load takes care of bulkhead and breaker itself: it is part of a load of many. */
  readonly guarded: boolean;
  /** A fresh value is at hand, and ends then by the server's clock: only a later one is of any use. */
  readonly beyond?: number;
}

/** A value from Redis that can be given out. */
interface Found {
  readonly value: unknown;
  readonly envelope: Envelope;
}

/** Nothing to give; and the token of what stands there, which is not good or not good enough. */
interface Nothing {
  readonly seen: Buffer;
}

const nothing: Nothing = { seen: Buffer.alloc(0) };

/** How long after a failure the next refresh of a key is tried, in milliseconds. */
const refreshPause = 1_000;

/** Without the channel nobody wakes us: look again this often, in milliseconds. */
const lookAgain = 100;

/**
 * One key on its way, for all in this process who want it: first from Redis, else from whoever loads it already, else
 * from the origin, under the lease that makes it one load for all processes.
 */
export class Flight {
  readonly key: string;
  /** What is kept of the value; see `Parcel.reveal`. */
  readonly result: Promise<unknown>;
  /** Something was changed meanwhile: what it brings is given out to those who wait, and not kept in this process. */
  dirty = false;
  /** Where the value came from. */
  outcome: Outcome = 'redis';
  readonly #store: Store;
  readonly #errand: Errand;
  readonly #entry: string;
  readonly #owner: string;
  readonly #given = Promise.withResolvers<unknown>();
  #controller: AbortController | undefined;
  #waiters = 0;
  readonly #background: boolean;
  #woken = false;
  #wake: (() => void) | undefined;

  constructor(store: Store, errand: Errand) {
    this.#store = store;
    this.#errand = errand;
    this.key = errand.key;
    this.#entry = store.names.entry(errand.key);
    this.#owner = `${store.id}:${flightNumber()}`;
    this.#background = errand.beyond !== undefined;
    this.result = this.#given.promise;
    // Whoever waits sees the error; when nobody does, nobody needs to.
    this.result.catch(() => {});
  }

  start(): this {
    this.#run().then(
      () => this.#end(),
      (error) => {
        this.#end(this.#background);
        this.#given.reject(
          this.#store.closing.signal.aborted ? new CacheClosedError(this.#store.settings.prefix) : error,
        );
      },
    );
    return this;
  }

  get keeping(): Keeping {
    return this.#errand.keeping;
  }

  /** One more who waits until `leave`. When all have left, the load is aborted. */
  join(): void {
    this.#waiters += 1;
  }

  leave(): void {
    this.#waiters -= 1;
    if (this.#waiters > 0) return;
    this.#end();
    this.#abort().abort(new GivenUp('nobody waits for this load any more'));
  }

  /** Word from the process that loads: there is something to look at. */
  wake(): void {
    this.#woken = true;
    this.#wake?.();
  }

  async #run(): Promise<void> {
    const store = this.#store;
    const { beyond } = this.#errand;
    if (store.link.away && !(await store.link.meet())) return this.#alone();
    const begin = performance.now();
    const first = await this.#look();
    if (first === silence) return this.#alone();
    const end = performance.now();
    store.counters.redis.add(end - begin);
    if ('value' in first) {
      const { freshUntil } = first.envelope;
      if (beyond === undefined || freshUntil > beyond) return this.#give(first, end);
      return this.#fetch(tokenOf(first.envelope));
    }
    if (beyond === undefined) store.counters.misses += 1;
    return this.#fetch(first.seen);
  }

  /** Gives out what is in Redis, and sees to it that it is refreshed where it is time. */
  #give(found: Found, now: number): void {
    const { link, counters } = this.#store;
    const { envelope } = found;
    const times = this.#times(envelope);
    this.#keep(found.value, envelope.payload.length, envelope.tags, envelope.clock, times);
    this.#end();
    this.#given.resolve(found.value);
    if (this.#background) return;
    counters.redisHits += 1;
    const stale = now >= times.freshUntil;
    if (stale) {
      counters.staleServed += 1;
      this.outcome = 'stale';
    }
    if (stale || this.#store.drawEarly(now, times.freshUntil, envelope.loadMs)) {
      refresh(this.#store, this.#errand, stale ? link.serverTime(now) : envelope.freshUntil);
    }
  }

  /** Asks for the right to load until it has it, or until somebody else has loaded. */
  async #fetch(seen: Buffer): Promise<void> {
    const store = this.#store;
    using limit = deadline(store.settings.loadTimeout, this.#abort().signal);
    const waiting = this.#waitInLine();
    try {
      for (let before = seen; ; ) {
        this.#woken = false;
        const answer = await this.#claim(before);
        if (answer === silence) return await this.#alone();
        const [kind, detail] = answer;
        if (kind === 1) return await this.#load(String(detail));
        if (kind === 0) {
          store.counters.elsewhere += 1;
          this.outcome = 'wait';
          await this.#wakeCall(Number(detail), limit.signal);
        }
        const found = await this.#look();
        if (found === silence) return await this.#alone();
        if ('value' in found) return this.#give(found, performance.now());
        before = found.seen;
      }
    } finally {
      waiting[Symbol.dispose]();
    }
  }

  /** Loads under a lease, or without one while Redis is away. */
  async #load(token: string | undefined): Promise<void> {
    const store = this.#store;
    const { key, keeping, load, version, guarded } = this.#errand;
    const { origin } = keeping;
    const held = token === undefined ? undefined : `${token} ${this.#owner}`;
    if (held !== undefined) store.hold(this.#entry, held);
    let value: unknown;
    let context: LoadContext;
    let clock: number;
    const begin = performance.now();
    try {
      using limit = deadline(store.settings.loadTimeout, this.#abort().signal);
      if (keeping.tags.length > 0) await store.tags.prepare(keeping.tags);
      clock = store.tags.now;
      context = new LoadContext(key, limit.signal, version, keeping);
      const work = (): Promise<unknown> => orAborted(limit.signal, key, async () => await load(context));
      const traced = (): Promise<unknown> => this.#traced(work);
      value = await (guarded ? work() : store.origin.call(key, origin, limit.signal, () => this.#counted(traced)));
    } catch (error) {
      await this.#fill(held, '', 1, '');
      throw error;
    }
    await this.#deliver(value, LoadContext.keepingOf(context), { clock, held, loadMs: performance.now() - begin });
  }

  /** Keeps what was loaded where it may be kept, and gives it out. */
  async #deliver(
    value: unknown,
    keeping: Keeping,
    { clock, held, loadMs }: { readonly clock: number; readonly held: string | undefined; readonly loadMs: number },
  ): Promise<void> {
    const { parcel, settings, counters, tags, link } = this.#store;
    const absent = value === undefined;
    const { ttl, stale } = this.#store.freshKeeping(keeping, absent);
    let outcome: unknown = 0;
    let kept: unknown;
    let bytes = 0;
    try {
      const written = absent ? { plain: '', bytes: 0 } : parcel.write(this.key, value);
      kept = absent ? undefined : parcel.own(value, written);
      bytes = written.bytes;
      const fits = ttl > 0 && bytes <= settings.maxValueBytes;
      // Tags that the loader has thought of may have been invalidated while it loaded.
      const later = keeping.tags.length > this.#errand.keeping.tags.length && held !== undefined;
      const valid = fits && (!later || (await tags.check(keeping.tags, clock)) === true);
      if (held !== undefined && valid) {
        const { payload, compressed } = await parcel.pack(written);
        const freshUntil = link.serverTime(performance.now()) + ttl;
        const header = { absent, compressed, serializer: settings.serializer.name, loadMs, clock, tags: keeping.tags };
        const sealed = seal(
          { ...header, freshUntil, staleUntil: freshUntil + stale, token: Number(held.split(' ')[0]) },
          payload,
        );
        outcome = await this.#fill(held, sealed, ttl + stale, keeping.fence?.toString() ?? '');
      } else {
        if (held !== undefined) await this.#fill(held, '', 1, '');
        outcome = valid && held === undefined ? silence : 0;
      }
    } catch (error) {
      if (held !== undefined) await this.#fill(held, '', 1, '');
      throw error;
    }
    if (outcome === 2) throw new FencedError(this.key, keeping.fence ?? 0n);
    // Without Redis's word it is kept in this process alone: for as long as that may be trusted.
    if (outcome === 0) counters.notKept += 1;
    else {
      const freshUntil = performance.now() + ttl;
      this.#keep(kept, bytes, keeping.tags, clock, { freshUntil, staleUntil: freshUntil + stale, loadMs, absent });
    }
    this.#end();
    this.outcome = 'load';
    this.#given.resolve(kept);
  }

  /** Redis is away: what this process has, as long as it is to be trusted, and else the origin. */
  async #alone(): Promise<void> {
    const { local, counters } = this.#store;
    const now = performance.now();
    const entry = local?.get(this.key);
    if (entry && this.#errand.beyond === undefined && now < entry.freshUntil && this.#store.vouches(entry, now)) {
      counters.localHits += 1;
      this.outcome = 'local';
      this.#given.resolve(entry.value);
      return;
    }
    if (!this.#background) counters.misses += 1;
    await this.#load(undefined);
  }

  async #look(): Promise<Found | Nothing | Silence> {
    const bytes = await this.#store.link.read(this.#entry);
    if (bytes === silence) return silence;
    if (bytes === null) return nothing;
    return this.#open(bytes);
  }

  async #open(bytes: Buffer): Promise<Found | Nothing | Silence> {
    const { parcel, tags, link, counters } = this.#store;
    const envelope = unseal(bytes);
    const opening = envelope && parcel.open(envelope, this.#errand.keeping);
    const opened = opening instanceof Promise ? await opening : opening;
    if (envelope === undefined || opened === undefined) {
      counters.unreadable += 1;
      return { seen: Buffer.from(bytes.subarray(tokenOffset, tokenOffset + 8)) };
    }
    const { staleUntil, clock } = envelope;
    if (link.serverTime(performance.now()) >= staleUntil) return { seen: tokenOf(envelope) };
    if (envelope.tags.length > 0) {
      const valid = await tags.check(envelope.tags, clock);
      if (valid === silence) return silence;
      if (!valid) return { seen: tokenOf(envelope) };
    }
    return { value: opened.value, envelope };
  }

  async #claim(seen: Buffer): Promise<readonly [0 | 1 | 2, number | string] | Silence> {
    const { link, settings, id } = this.#store;
    const keys = [this.#entry, leaseOf(this.#entry), waitersOf(this.#entry)];
    try {
      const reply = await link.run(claim, keys, [this.#owner, String(settings.lease), seen, id]);
      return reply === silence ? silence : (reply as [0 | 1 | 2, number | string]);
    } catch {
      // Redis refuses: it is full, or we may not write. The value can be had all the same.
      return silence;
    }
  }

  /** 1 kept, 0 not: the lease was lost; 2 not: a newer token has written. */
  async #fill(held: string | undefined, value: string | Buffer, life: number, fence: string): Promise<unknown> {
    if (held === undefined) return silence;
    const { names, link, id } = this.#store;
    this.#store.letGo(this.#entry);
    const entry = this.#entry;
    const keys = [entry, leaseOf(entry), waitersOf(entry), fenceOf(entry)];
    const wakeUp = [`${names.channel}:`, wakeMessage(this.key), names.channel, keyMessage(id, this.key)];
    return await link.run(fill, keys, [held, value, String(life), fence, String(fenceLife), ...wakeUp]).catch(() => 0);
  }

  /** Until somebody says that there is something to look at, or the lease must be over. */
  #wakeCall(leaseLeft: number, signal: AbortSignal): Promise<void> {
    if (this.#woken) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const ms = this.#store.channelOpen ? Math.max(1, leaseLeft) : Math.min(lookAgain, Math.max(1, leaseLeft));
      const over = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', aborted);
        this.#wake = undefined;
        resolve();
      };
      const aborted = (): void => {
        over();
        reject(this.#reason(signal));
      };
      const timer = setTimeout(over, ms).unref();
      this.#wake = over;
      if (signal.aborted) aborted();
      else signal.addEventListener('abort', aborted, { once: true });
    });
  }

  #reason(signal: AbortSignal): unknown {
    if (!(signal.reason instanceof DeadlineExceededError)) return signal.reason;
    const { loadTimeout } = this.#store.settings;
    return new DeadlineExceededError(`${this.key}: another process has not loaded it within ${loadTimeout} ms`);
  }

  #waitInLine(): Disposable {
    const { waiting } = this.#store;
    const line = waiting.get(this.key) ?? new Set();
    waiting.set(this.key, line.add(this));
    return {
      [Symbol.dispose]: () => {
        line.delete(this);
        if (line.size === 0) waiting.delete(this.key);
      },
    };
  }

  /** The channel would publish what a traced promise gives: values are nobody else's business. */
  async #traced(work: () => Promise<unknown>): Promise<unknown> {
    const { key, keeping } = this.#errand;
    let value: unknown;
    const untold = async (): Promise<void> => {
      value = await work();
    };
    if (!loads.hasSubscribers) return work();
    await loads.tracePromise(untold, { cache: this.#store.settings.prefix, key, origin: keeping.origin });
    return value;
  }

  async #counted(work: () => Promise<unknown>): Promise<unknown> {
    const { counters } = this.#store;
    counters.loads += 1;
    const begin = performance.now();
    try {
      return await work();
    } catch (error) {
      counters.failedLoads += 1;
      throw error;
    } finally {
      counters.load.add(performance.now() - begin);
    }
  }

  #keep(
    value: unknown,
    bytes: number,
    tags: readonly string[],
    clock: number,
    times: {
      readonly freshUntil: number;
      readonly staleUntil: number;
      readonly loadMs: number;
      readonly absent: boolean;
    },
  ): void {
    if (!this.dirty) this.#store.adopt(this.key, value, bytes, tags, clock, times);
  }

  #times(envelope: Envelope): { freshUntil: number; staleUntil: number; loadMs: number; absent: boolean } {
    const { link } = this.#store;
    const { freshUntil, staleUntil, loadMs, absent } = envelope;
    return { freshUntil: link.localTime(freshUntil), staleUntil: link.localTime(staleUntil), loadMs, absent };
  }

  /** Made when somebody first asks for it: what Redis answers at once needs none. */
  #abort(): AbortController {
    if (this.#controller) return this.#controller;
    this.#controller = new AbortController();
    const { closing } = this.#store;
    if (closing.signal.aborted) this.#controller.abort(closing.signal.reason);
    else closing.signal.addEventListener('abort', this.#closed);
    return this.#controller;
  }

  readonly #closed = (): void => this.#controller?.abort(this.#store.closing.signal.reason);

  /** Nobody joins it any more. A refresh that has failed holds its place for a while: the next one would fail as well. */
  #end(failedRefresh = false): void {
    const { flights, refreshes, closing } = this.#store;
    if (this.#controller) closing.signal.removeEventListener('abort', this.#closed);
    const place = this.#background ? refreshes : flights;
    const leave = (): void => {
      if (place.get(this.key) === this) place.delete(this.key);
    };
    if (failedRefresh) setTimeout(leave, refreshPause).unref();
    else leave();
  }
}

/** Loads anew in the background, unless that is being done already. */
export function refresh(store: Store, errand: Errand, beyond: number): void {
  if (store.refreshes.has(errand.key) || store.closing.signal.aborted) return;
  store.counters.refreshes += 1;
  const flight = new Flight(store, { ...errand, beyond });
  store.refreshes.set(errand.key, flight);
  flight.start();
}

let flights = 0;
function flightNumber(): string {
  flights += 1;
  return flights.toString(36);
}

function tokenOf({ token }: Envelope): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeDoubleLE(token);
  return bytes;
}

/** What `work` gives, or the reason of the signal: a loader that takes no notice of it is left to itself. */
async function orAborted(signal: AbortSignal, key: string, work: () => Promise<unknown>): Promise<unknown> {
  const { promise, reject } = Promise.withResolvers<never>();
  const aborted = (): void => {
    const { reason } = signal;
    reject(
      reason instanceof DeadlineExceededError
        ? new DeadlineExceededError(`${key}: its loader was ${reason.message}`)
        : reason,
    );
  };
  if (signal.aborted) aborted();
  signal.addEventListener('abort', aborted, { once: true });
  try {
    return await Promise.race([promise, work()]);
  } finally {
    signal.removeEventListener('abort', aborted);
  }
}
