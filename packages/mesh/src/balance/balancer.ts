import { checkNames, type Duration, InvalidArgumentError } from '@quorate/core';
import { checkNumber } from '../arguments.ts';
import type { ServiceInstance } from '../discovery/service-instance.ts';
import { type Followed, holding } from '../discovery/watch.ts';
import { milliseconds } from '../duration.ts';
import { NoEndpointError } from '../errors/no-endpoint-error.ts';
import { type Policy, type PolicyName, policyOf } from './policy.ts';
import { Roster } from './roster.ts';
import type { Slot } from './slot.ts';

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
  /** Its answer has begun: it does not count as busy any more. Whether it does well is not known yet. */
  answered(): void;
  /** It did not answer, or not well. An endpoint that is disposed of without this or `abandoned` has done well. */
  failed(): void;
  /**
   * Nobody waits for its answer any more, which says neither that it did well nor that it failed. The request counts as under
   * way until the instance does well again, for `ejectFor` at most: one that answers nobody is chosen less.
   */
  abandoned(): void;
}

export interface PickOptions {
  readonly signal?: AbortSignal;
  /** Those that were tried already. An instance is itself by node and id: the same id on another node is another one. */
  readonly except?: readonly Pick<ServiceInstance, 'node' | 'id'>[];
}

/** No instance is left out for longer than so many times the first time. */
const longest = 30;

/** Chooses an instance for each request, by what Consul says of them and by how they did. */
export class Balancer implements AsyncDisposable {
  readonly service: string;
  readonly #watch: Followed<readonly ServiceInstance[]>;
  readonly #policy: Policy;
  readonly #ejectAfter: number;
  readonly #ejectFor: number;
  readonly #ejectAtMost: number;
  readonly #roster = new Roster();
  #broken = false;
  /** How many wait for the first answer. */
  #waiting = 0;

  constructor(service: string, watch: Followed<readonly ServiceInstance[]>, options: BalancerOptions = {}) {
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

  /** Whether somebody waits for Consul's first answer. */
  get awaited(): boolean {
    return this.#waiting > 0;
  }

  /** The instances that are left out at the moment. */
  get ejected(): readonly ServiceInstance[] {
    this.#roster.follow(this.#watch.latest);
    return this.#roster.ejected(performance.now()).map(({ instance }) => instance);
  }

  /** An instance for one request; not one of `except`, if there is another. Waits only before Consul's first answer. */
  async pick({ signal, except = [] }: PickOptions = {}): Promise<Endpoint> {
    signal?.throwIfAborted();
    checkExcept(except);
    if (this.#watch.latest === undefined) await this.#firstAnswer(signal);
    this.#roster.follow(this.#watch.latest);
    if (this.#roster.size === 0) {
      const { latest } = this.#watch;
      if (!latest) throw new NoEndpointError(this.service, 'it is not followed any more', this.#watch.failure);
      const why = latest.length > 0 ? 'none of its instances is healthy' : 'it has no instances';
      throw new NoEndpointError(this.service, why, this.#watch.failure);
    }
    const now = performance.now();
    const present = this.#roster.present(now);
    const fresh = ({ instance }: Slot): boolean =>
      !except.some(({ node, id }) => node === instance.node && id === instance.id);
    const anybody = (): boolean => true;
    const slot = this.#policy(present, except.length > 0 && present.some(fresh) ? fresh : anybody, now);
    return this.#endpoint(slot);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#watch[Symbol.asyncDispose]();
  }

  async #firstAnswer(signal: AbortSignal | undefined): Promise<void> {
    const aborted = Promise.withResolvers<never>();
    const abort = (): void => aborted.reject(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    this.#waiting += 1;
    try {
      const first = this.#watch.first.catch((error) => {
        this.#broken = true;
        throw error;
      });
      await holding(Promise.race([first, aborted.promise]));
    } finally {
      this.#waiting -= 1;
      signal?.removeEventListener('abort', abort);
    }
  }

  #endpoint(slot: Slot): Endpoint {
    slot.inFlight += 1;
    let outcome: 'well' | 'failed' | 'abandoned' | 'over' = 'well';
    const { instance } = slot;
    let busy = true;
    const answered = (): void => {
      if (busy) slot.inFlight -= 1;
      busy = false;
    };
    return {
      instance,
      address: `${instance.address.includes(':') ? `[${instance.address}]` : instance.address}:${instance.port}`,
      answered,
      failed: () => {
        if (outcome === 'well') outcome = 'failed';
      },
      abandoned: () => {
        if (outcome === 'well') outcome = 'abandoned';
      },
      [Symbol.dispose]: () => {
        if (outcome === 'over') return;
        answered();
        if (outcome === 'failed') this.#failed(slot);
        else if (outcome === 'abandoned') this.#abandoned(slot);
        else this.#didWell(slot);
        outcome = 'over';
      },
    };
  }

  #didWell(slot: Slot): void {
    slot.failures = 0;
    slot.abandoned = 0;
    // A while without trouble, and the past is forgotten.
    if (performance.now() > slot.ejectedUntil + slot.ejections * this.#ejectFor) slot.ejections = 0;
  }

  #abandoned(slot: Slot): void {
    const now = performance.now();
    slot.abandoned = slot.abandonedUntil > now ? slot.abandoned + 1 : 1;
    slot.abandonedUntil = now + this.#ejectFor;
  }

  #failed(slot: Slot): void {
    slot.failures += 1;
    const now = performance.now();
    if (slot.failures < this.#ejectAfter || slot.ejectedUntil > now) return;
    if (this.#roster.ejected(now).length + 1 > this.#roster.size * this.#ejectAtMost) return;
    slot.ejections += 1;
    // Back again, one failure is enough.
    slot.failures = this.#ejectAfter - 1;
    this.#roster.eject(slot, now + this.#ejectFor * Math.min(longest, slot.ejections));
  }
}

function checkExcept(except: unknown): void {
  const isInstance = (value: unknown): boolean =>
    typeof value === 'object' && value !== null && 'node' in value && 'id' in value;
  if (Array.isArray(except) && except.every(isInstance)) return;
  throw new InvalidArgumentError('except', 'a list of instances, each with its node and id', except);
}
