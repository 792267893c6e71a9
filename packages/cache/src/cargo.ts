import type { Allowance } from './allowance.ts';
import type { Keeping } from './entry-options.ts';
import type { Errand } from './errand.ts';
import { FencedError } from './errors/fenced-error.ts';
import type { Lease } from './lease.ts';
import { type Checked, nothingWritten } from './parcel.ts';
import { diceOf, seal } from './redis/envelope.ts';
import type { Store } from './store.ts';

interface Loaded {
  readonly value: unknown;
  readonly keeping: Keeping;
  /** What the clock of invalidations read before the load began. */
  readonly clock: number;
  readonly loadMs: number;
}

/** A value that was loaded, on its way to where it is kept. */
export class Cargo {
  readonly #store: Store;
  readonly #errand: Errand;
  readonly #loaded: Loaded;
  readonly #absent: boolean;
  readonly #ttl: number;
  readonly #stale: number;

  constructor(store: Store, errand: Errand, loaded: Loaded) {
    this.#store = store;
    this.#errand = errand;
    this.#loaded = loaded;
    const { ttl, stale, negative } = loaded.keeping;
    this.#absent = loaded.value === undefined;
    this.#ttl = this.#absent ? negative : ttl;
    this.#stale = this.#absent ? 0 : stale;
  }

  /** Keeps it where it may be kept, and gives what all others will get. Without a lease Redis is not asked. */
  async deliver(allowance: Allowance, lease: Lease | undefined, whose: { readonly dirty: boolean }): Promise<unknown> {
    const { parcel, settings, counters } = this.#store;
    const { value, keeping } = this.#loaded;
    // What is part of a load of many has had no time of its own so far.
    allowance.start();
    const check = (): Promise<Checked> => parcel.check(this.#errand.key, value, keeping.schema);
    const checked = this.#absent ? nothingWritten : await allowance.bound(check);
    const { value: kept } = checked.kept;
    if (this.#ttl === 0) return kept;
    if (checked.written.bytes > settings.maxValueBytes || !(await this.#stillValid())) {
      counters.notKept += 1;
      return kept;
    }
    await this.#keep(checked, lease, whose);
    return kept;
  }

  async #keep(checked: Checked, lease: Lease | undefined, whose: { readonly dirty: boolean }): Promise<void> {
    const store = this.#store;
    const { keeping, clock, loadMs } = this.#loaded;
    const token = newToken();
    // Before it is sent: what is kept here ends no later than what Redis has.
    const freshUntil = performance.now() + this.#ttl;
    if (lease) {
      const outcome = await this.#send(checked.written, token, lease);
      if (outcome === 2) throw new FencedError(this.#errand.key, keeping.fence ?? 0n);
      if (outcome === 0) {
        store.counters.notKept += 1;
        return;
      }
    }
    // Without Redis's word it is kept in this process alone, for as long as that may be trusted.
    if (whose.dirty) return;
    const refreshAt = store.refreshAt({ freshUntil, loadMs, absent: this.#absent, dice: diceOf(token) });
    const times = { freshUntil, staleUntil: freshUntil + this.#stale, refreshAt };
    const { value, bytes } = checked.kept;
    store.adopt(this.#errand, value, bytes, keeping.tags, clock, times);
  }

  async #send(written: Checked['written'], token: number, lease: Lease): Promise<unknown> {
    const { parcel, settings, link } = this.#store;
    const { keeping, clock, loadMs } = this.#loaded;
    const { payload, compressed } = await parcel.pack(written);
    const freshUntil = link.serverTime(performance.now()) + this.#ttl;
    const times = { freshUntil, staleUntil: freshUntil + this.#stale, loadMs, clock, token };
    const serializer = settings.serializer.name;
    const sealed = seal({ ...times, absent: this.#absent, compressed, serializer, tags: keeping.tags }, payload);
    return await lease.fill(sealed, this.#ttl + this.#stale, keeping.fence?.toString() ?? '');
  }

  /** What its loader has said of it goes for its tags too: they are remembered for as long, and may have been invalidated. */
  async #stillValid(): Promise<boolean> {
    const { coherence, link, names } = this.#store;
    const { keeping, clock } = this.#loaded;
    const { tags, ttl, stale } = keeping;
    if (keeping === this.#errand.keeping || tags.length === 0 || link.away(names.clock)) return true;
    await coherence.tags.prepare(tags, ttl + stale);
    return (await coherence.tags.check(tags, clock)) !== false;
  }
}

/** Unlike the token of any other value. */
function newToken(): number {
  return Math.trunc(Math.random() * 2 ** 52) + 1;
}
