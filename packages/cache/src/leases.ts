import { leaseOf } from './redis/key-names.ts';
import type { Link } from './redis/link.ts';
import { renew } from './redis/scripts.ts';

/** The right to load that this process has, for each entry. It is renewed at each beat until it is let go. */
export class Leases {
  readonly #link: Link;
  /** How long one lasts, in milliseconds. */
  readonly #life: number;
  readonly #owners = new Map<string, string>();

  constructor(link: Link, life: number) {
    this.#link = link;
    this.#life = life;
  }

  hold(entry: string, owner: string): void {
    this.#owners.set(entry, owner);
  }

  /** Another load of this process may have it by now: that one keeps it. */
  letGo(entry: string, owner: string): void {
    if (this.holds(entry, owner)) this.#owners.delete(entry);
  }

  holds(entry: string, owner: string): boolean {
    return this.#owners.get(entry) === owner;
  }

  renew(): void {
    for (const [entry, owner] of this.#owners) {
      void this.#link.run(renew, [leaseOf(entry)], [owner, String(this.#life)]).catch(() => {});
    }
  }
}
