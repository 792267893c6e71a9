import { checkNames, type Duration, InvalidArgumentError } from '@quorate/core';
import { checkNumber } from '../arguments.ts';
import type { ServiceInstance } from '../discovery/service-instance.ts';
import type { Watch } from '../discovery/watch.ts';
import { milliseconds } from '../duration.ts';
import { NoEndpointError } from '../errors/no-endpoint-error.ts';
import { type Policy, type PolicyName, policyOf } from './policy.ts';
import { newSlot, type Slot } from './slot.ts';

export interface BalancerOptions {
  /** Default `p2c`, power of two choices. */
  readonly policy?: PolicyName;
  /** After so many failures in a row an instance is left out. Default 5. */
  readonly ejectAfter?: number;
  /** For how long, the first time; each time again for as much longer. Default 10 s. */
  readonly ejectFor?: Duration;
  /** At most this share of the instances is left out: if all fail, it is not the instances. Default 0.5. */
  readonly ejectAtMost?: number;
  /** Where chance comes from. */
  readonly random?: () => number;
}

/** An instance to send one request to. Dispose of it when the answer is there: until then it counts as busy. */
export interface Endpoint extends Disposable {
  readonly instance: ServiceInstance;
  /** `10.0.0.7:8080` */
  readonly address: string;
  /** It did not answer, or not well. An endpoint that is disposed of without this has done well. */
  failed(): void;
}

/** No instance is left out for longer than so many times the first time. */
const longest = 30;

/** Chooses an instance for each request, by what Consul says of them and by how they did. */
export class Balancer implements AsyncDisposable {
  readonly service: string;
  readonly #watch: Watch<readonly ServiceInstance[]>;
  readonly #policy: Policy;
  readonly #ejectAfter: number;
  readonly #ejectFor: number;
  readonly #ejectAtMost: number;
  readonly #slots = new Map<string, Slot>();
  #known: readonly ServiceInstance[] | undefined;
  #first: Promise<unknown> | undefined;
  #broken = false;

  constructor(service: string, watch: Watch<readonly ServiceInstance[]>, options: BalancerOptions = {}) {
    checkNames('options', options, ['policy', 'ejectAfter', 'ejectFor', 'ejectAtMost', 'random']);
    const { policy = 'p2c', ejectAfter = 5, ejectFor = 10_000, ejectAtMost = 0.5, random = Math.random } = options;
    if (!['p2c', 'round-robin', 'weighted'].includes(policy)) {
      throw new InvalidArgumentError('policy', 'p2c, round-robin or weighted', policy);
    }
    checkNumber('ejectAfter', ejectAfter, 1, 1_000_000);
    checkNumber('ejectAtMost', ejectAtMost, 0, 1);
    this.service = service;
    this.#watch = watch;
    this.#policy = policyOf(policy, random);
    this.#ejectAfter = ejectAfter;
    this.#ejectFor = milliseconds('ejectFor', ejectFor);
    this.#ejectAtMost = ejectAtMost;
  }

  /** Milliseconds since Consul was last heard. The last good answer is used for as long as it takes. */
  get age(): number {
    return this.#watch.age;
  }

  /** Why Consul cannot be asked at the moment. */
  get failure(): unknown {
    return this.#watch.failure;
  }

  /** Whether there never was an answer and none will come: make another one. */
  get broken(): boolean {
    return this.#broken;
  }

  /** The instances that are left out at the moment. */
  get ejected(): readonly ServiceInstance[] {
    this.#update();
    const now = performance.now();
    return [...this.#slots.values()].filter(({ ejectedUntil }) => ejectedUntil > now).map(({ instance }) => instance);
  }

  /** An instance for one request; not one of `except`, if there is another. Waits only before Consul's first answer. */
  async pick({
    signal,
    except = [],
  }: {
    readonly signal?: AbortSignal;
    readonly except?: readonly string[];
  } = {}): Promise<Endpoint> {
    signal?.throwIfAborted();
    if (this.#watch.latest === undefined) await this.#firstAnswer(signal);
    this.#update();
    const usable = [...this.#slots.values()];
    if (usable.length === 0) {
      const why = this.#known?.length ? 'none of its instances is healthy' : 'it has no instances';
      throw new NoEndpointError(this.service, why, this.#watch.failure);
    }
    const now = performance.now();
    const present = usable.filter(({ ejectedUntil }) => ejectedUntil <= now);
    const fresh = present.filter(({ instance }) => !except.includes(instance.id));
    const slot = this.#policy(fresh.length > 0 ? fresh : present.length > 0 ? present : usable);
    return this.#endpoint(slot);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#watch[Symbol.asyncDispose]();
  }

  /** Many may wait for the first answer; the watch has one reader. */
  async #firstAnswer(signal: AbortSignal | undefined): Promise<void> {
    this.#first ??= this.#watch.next().catch((error) => {
      this.#broken = true;
      throw error;
    });
    if (!signal) {
      await this.#first;
      return;
    }
    const aborted = Promise.withResolvers<never>();
    const abort = (): void => aborted.reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      await Promise.race([this.#first, aborted.promise]);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** What is known of an instance stays while it is there. */
  #update(): void {
    const { latest } = this.#watch;
    if (latest === undefined || latest === this.#known) return;
    this.#known = latest;
    const wanted = latest.filter(({ status, weight }) => (status === 'passing' || status === 'warning') && weight > 0);
    const keys = new Set(wanted.map(keyOf));
    for (const key of this.#slots.keys()) if (!keys.has(key)) this.#slots.delete(key);
    for (const instance of wanted) {
      const slot = this.#slots.get(keyOf(instance));
      if (slot) slot.instance = instance;
      else this.#slots.set(keyOf(instance), newSlot(instance));
    }
  }

  #endpoint(slot: Slot): Endpoint {
    slot.inFlight += 1;
    let outcome: 'open' | 'failed' | 'over' = 'open';
    const { instance } = slot;
    return {
      instance,
      address: `${instance.address.includes(':') ? `[${instance.address}]` : instance.address}:${instance.port}`,
      failed: () => {
        if (outcome === 'open') outcome = 'failed';
      },
      [Symbol.dispose]: () => {
        if (outcome === 'over') return;
        slot.inFlight -= 1;
        if (outcome === 'failed') this.#failed(slot);
        else slot.failures = 0;
        // A while without trouble, and the past is forgotten.
        const forgiven = slot.ejectedUntil + slot.ejections * this.#ejectFor;
        if (outcome === 'open' && performance.now() > forgiven) slot.ejections = 0;
        outcome = 'over';
      },
    };
  }

  #failed(slot: Slot): void {
    slot.failures += 1;
    const now = performance.now();
    if (slot.failures < this.#ejectAfter || slot.ejectedUntil > now) return;
    const out = [...this.#slots.values()].filter(({ ejectedUntil }) => ejectedUntil > now).length;
    if (out + 1 > this.#slots.size * this.#ejectAtMost) return;
    slot.ejections += 1;
    slot.ejectedUntil = now + this.#ejectFor * Math.min(longest, slot.ejections);
    // Back again, one failure is enough.
    slot.failures = this.#ejectAfter - 1;
  }
}

function keyOf({ id, node, address, port }: ServiceInstance): string {
  return `${node} ${id} ${address}:${port}`;
}
