import type { Errand } from './errand.ts';
import { RedisRefusedError } from './errors/redis-refused-error.ts';
import { leaseOf } from './redis/key-names.ts';
import { type Silence, silence } from './redis/link.ts';
import { keyMessage, wakeMessage } from './redis/message.ts';
import { claim, fill } from './redis/scripts.ts';
import { fenceLife, type Store } from './store.ts';

/** The right to load an entry for all processes, for whoever has claimed it. */
export class Lease {
  /** The entry's name in Redis. */
  readonly entry: string;
  readonly #store: Store;
  readonly #errand: Errand;
  readonly #owner: string;

  constructor(store: Store, errand: Errand) {
    this.#store = store;
    this.#errand = errand;
    this.entry = store.names.entry(errand.key, errand.version);
    this.#owner = `${store.id}:${nextNumber()}`;
  }

  /** The entry, when it is another than the one we have seen; 1 when it is ours to load; else for how long another has that right, below 0. */
  async claim(seen: Buffer): Promise<Buffer | number | Silence> {
    const { link, settings, id } = this.#store;
    const keys = [this.entry, leaseOf(this.entry)];
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

  /** From now on it is renewed. */
  hold(): void {
    this.#store.leases.hold(this.entry, this.#owner);
  }

  /** Ends it with a value. 1 kept, 0 not: the lease was lost; 2 not: a newer token has written. */
  async fill(value: string | Buffer, life: number, fence: string): Promise<unknown> {
    const { names, link, sender, leases } = this.#store;
    const { key, version } = this.#errand;
    leases.letGo(this.entry, this.#owner);
    const keys = [this.entry, leaseOf(this.entry), names.fence(key, version)];
    const wakeUp = [`${names.channel}:`, wakeMessage(key), names.channel, keyMessage(sender, key)];
    const args = [this.#owner, value, String(life), fence, String(fenceLife), ...wakeUp];
    const reply = await link.run(fill, keys, args).catch(() => 0);
    if (reply === silence) this.#store.unanswered();
    return reply;
  }

  /** Ends it without one, unless it has ended. */
  async giveBack(): Promise<void> {
    if (this.#store.leases.holds(this.entry, this.#owner)) await this.fill('', 1, '');
  }
}

let numbers = 0;
function nextNumber(): string {
  numbers += 1;
  return numbers.toString(36);
}
