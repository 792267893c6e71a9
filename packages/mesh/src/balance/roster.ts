import { compareInstances, type ServiceInstance } from '../discovery/service-instance.ts';
import { newSlot, type Slot } from './slot.ts';

/**
 * The instances that may be sent to, in the order of their ids and nodes, with what is known of each. Lists are made when
 * something changes and not for each request.
 */
export class Roster {
  #known: readonly ServiceInstance[] | undefined;
  #slots: readonly Slot[] = [];
  #byKey = new Map<string, Slot>();
  /** Those that are left out, or were until lately. */
  #out: readonly Slot[] = [];
  #present: readonly Slot[] | undefined;
  /** When the first of those that are left out comes back. */
  #presentUntil = Infinity;

  get size(): number {
    return this.#slots.length;
  }

  /** What is known of an instance stays while it is there; one that listens elsewhere now is another one. */
  follow(latest: readonly ServiceInstance[] | undefined): void {
    if (latest === undefined || latest === this.#known) return;
    this.#known = latest;
    const wanted = latest.filter(({ status, weight }) => (status === 'passing' || status === 'warning') && weight > 0);
    const before = this.#byKey;
    this.#byKey = new Map();
    for (const instance of wanted) {
      const slot = before.get(keyOf(instance)) ?? newSlot(instance);
      slot.instance = instance;
      this.#byKey.set(keyOf(instance), slot);
    }
    this.#slots = [...this.#byKey.values()].sort((a, b) => compareInstances(a.instance, b.instance));
    this.#out = this.#slots.filter(({ ejectedUntil }) => ejectedUntil > -Infinity);
    this.#present = undefined;
  }

  /** Those that are not left out; all, when every one is. The same list until that changes. */
  present(now: number): readonly Slot[] {
    if (this.#present === undefined || this.#presentUntil <= now) {
      const out = this.ejected(now);
      const present = out.length === 0 ? this.#slots : this.#slots.filter(({ ejectedUntil }) => ejectedUntil <= now);
      this.#present = present.length > 0 ? present : this.#slots;
      this.#presentUntil = Math.min(...out.map(({ ejectedUntil }) => ejectedUntil));
    }
    return this.#present;
  }

  eject(slot: Slot, until: number): void {
    slot.ejectedUntil = until;
    // It may have gone away while the request was under way.
    if (this.#byKey.get(keyOf(slot.instance)) !== slot) return;
    if (!this.#out.includes(slot)) this.#out = [...this.#out, slot];
    this.#present = undefined;
  }

  ejected(now: number): readonly Slot[] {
    return this.#out.filter(({ ejectedUntil }) => ejectedUntil > now);
  }
}

function keyOf({ id, node, address, port }: ServiceInstance): string {
  return `${node} ${id} ${address}:${port}`;
}
