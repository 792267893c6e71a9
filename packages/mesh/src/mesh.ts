import {
  backoff,
  type Component,
  type Health,
  InvalidArgumentError,
  isQuorateError,
  mayRetry,
  QuorateError,
  sleep,
} from '@quorate/core';
import { Agent } from './agent/agent.ts';
import { list, table, text } from './agent/shape.ts';
import { Balancer, type BalancerOptions } from './balance/balancer.ts';
import { Destinations } from './balance/destinations.ts';
import { type MeshRequestInit, meshFetch } from './balance/mesh-fetch.ts';
import { Config } from './config/config.ts';
import { Intentions } from './config/intentions.ts';
import { Propagation } from './config/propagation.ts';
import { type DiscoveryOptions, readInstances, type WatchOptions, watchInstances } from './discovery/instances.ts';
import type { ServiceInstance } from './discovery/service-instance.ts';
import type { Watch } from './discovery/watch.ts';
import { Kv } from './kv/kv.ts';
import { Session, type SessionOptions } from './kv/session.ts';
import { checkOptions, type MeshOptions, type Settings } from './options.ts';
import { Instance } from './registration/instance.ts';
import { checkRegistration, type Registration } from './registration/registration.ts';
import { Authority } from './security/authority.ts';
import type { Bootstrap } from './sidecar/bootstrap.ts';
import { type BootstrapOptions, planSidecar, readBootstrap, type SidecarOptions } from './sidecar/plan-sidecar.ts';
import { Sidecar } from './sidecar/sidecar.ts';

export interface MeshBalancerOptions
  extends BalancerOptions,
    Pick<WatchOptions, 'tag' | 'near' | 'filter' | 'consistency'> {}

/**
 * The service mesh, by way of the Consul agent on this machine.
 *
 *     const mesh = new Mesh({ address: 'http://127.0.0.1:8500' });
 *     await using instance = await mesh.register({ name: 'query', port: 8080 });
 *     for await (const instances of mesh.watch('rides', { passing: true, signal })) { … }
 */
export class Mesh implements Component, AsyncDisposable {
  readonly name: string;
  readonly kv: Kv;
  readonly intentions: Intentions;
  readonly config: Config;
  readonly authority: Authority;
  readonly #agent: Agent;
  readonly #settings: Settings;
  #stopped = false;
  #ended = new AbortController();
  readonly #propagation = new Propagation();
  readonly #destinations = new Destinations((service) => this.balancer(service));

  constructor(options: MeshOptions = {}) {
    this.#settings = checkOptions(options);
    this.name = this.#settings.name;
    this.#agent = new Agent(this.#settings);
    this.kv = new Kv(this.#agent);
    this.authority = new Authority(this.#agent);
    this.intentions = new Intentions(this.#agent, this.#propagation);
    this.config = new Config(this.#agent, this.#propagation);
  }

  /** Resolves when the agent has the instance. It stays registered until it is disposed of, also over the agent's restarts. */
  async register(registration: Registration, { signal }: { readonly signal?: AbortSignal } = {}): Promise<Instance> {
    const instance = this.instance(registration);
    await instance.start(signal);
    return instance;
  }

  /** An instance that is not registered yet: a component, to be started and stopped with the others of a service. */
  instance(registration: Registration): Instance {
    return new Instance(this.#agent, checkRegistration(registration));
  }

  /** The instances of a service each time they change, from now on. */
  watch(service: string, options: WatchOptions = {}): Watch<readonly ServiceInstance[]> {
    return watchInstances(this.#agent, service, options);
  }

  /** The instances of a service as they are now. */
  async instances(service: string, options: DiscoveryOptions = {}): Promise<readonly ServiceInstance[]> {
    return readInstances(this.#agent, service, options);
  }

  /** The names of all services there are, each with the tags of its instances; for a token that may see all of them. */
  async services({
    signal,
  }: {
    readonly signal?: AbortSignal;
  } = {}): Promise<Readonly<Record<string, readonly string[]>>> {
    const path = '/catalog/services';
    const ask = { operation: 'list services', path, whole: true, shape: table(list(text)), signal };
    const { body } = await this.#agent.ask<Record<string, string[]>>(ask, (client, options) =>
      client.catalog.service.list({ ...options }),
    );
    return body;
  }

  /** Chooses an instance for each request, for programs without a sidecar. */
  balancer(service: string, { tag, near, filter, consistency, ...options }: MeshBalancerOptions = {}): Balancer {
    const which = { tag, near, filter, consistency };
    const given = Object.fromEntries(Object.entries(which).filter(([, value]) => value !== undefined));
    return new Balancer(service, watchInstances(this.#agent, service, given), options);
  }

  /**
   * `fetch`, with a service's name for the host: `mesh.fetch('http://query/rides')`. It has a deadline, tries other
   * instances within a budget what may be tried again, and leaves out those that fail. For programs without a sidecar.
   * Once the mesh is stopped it rejects with `stopped`.
   */
  readonly fetch: (input: string | URL | Request, init?: MeshRequestInit) => Promise<Response> = (input, init = {}) =>
    meshFetch(input, init, (service) => {
      if (!this.#stopped) return this.#destinations.get(service);
      throw new QuorateError(`fetch ${service}: ${this.name} is stopped`, { code: 'stopped', happened: 'no' });
    });

  /**
   * Runs Envoy beside an instance that was registered with a sidecar; resolves when it serves. It is started again when it
   * dies, drained when it stops, and does not outlive this process.
   */
  async startSidecar(instance: Pick<Instance, 'proxyId'>, options: SidecarOptions = {}): Promise<Sidecar> {
    const sidecar = this.sidecar(instance, options);
    await sidecar.start(options.signal);
    return sidecar;
  }

  /** A sidecar that does not run yet: a component, to be started after its instance and stopped before it. */
  sidecar(instance: Pick<Instance, 'proxyId'>, options: Omit<SidecarOptions, 'signal'> = {}): Sidecar {
    const { proxyId } = instance;
    if (proxyId === undefined) throw new InvalidArgumentError('instance', 'one that was registered with a sidecar');
    const prepare = planSidecar(this.#agent, this.#settings, proxyId, options);
    const sidecar: Sidecar = new Sidecar(proxyId, async (signal) => {
      this.#propagation.add(sidecar);
      return prepare(signal);
    });
    return sidecar;
  }

  /** What an Envoy must be started with to be the sidecar with this id. It holds the token. */
  async bootstrap(proxyId: string, options: BootstrapOptions = {}): Promise<Bootstrap> {
    return readBootstrap(this.#agent, this.#settings, proxyId, options);
  }

  /** A session, to hold keys with; kept alive until it is disposed of. */
  async session(options: SessionOptions = {}): Promise<Session> {
    return Session.create(this.#agent, options);
  }

  /**
   * Resolves when the agent answers and knows a leader. One that is not there yet, or still looks for its servers, is waited
   * for until `signal` aborts or the mesh is stopped; one that refuses the token or the certificate rejects it. The mesh works without it too.
   */
  async start(signal?: AbortSignal): Promise<void> {
    const delays = backoff({ min: 100, max: 2_000 });
    const { signal: ended } = this.#ended;
    const either = signal ? AbortSignal.any([signal, ended]) : ended;
    const ask = { operation: 'look for a leader', path: '/status/leader', shape: text, signal: either };
    for (;;) {
      either.throwIfAborted();
      try {
        const { body } = await this.#agent.call<string>(ask);
        if (body !== '') break;
      } catch (error) {
        if (!isQuorateError(error) || !mayRetry(error, { idempotent: true })) throw error;
      }
      await sleep(delays.next(), { signal: either });
    }
    either.throwIfAborted();
    this.#stopped = false;
  }

  /**
   * Whether the agent answered the last time. Where that is more than 5 s ago it is asked, for the next who looks. Without it, what
   * is known goes on being used.
   */
  health(): Health {
    if (this.#stopped) return { status: 'fail', detail: 'stopped' };
    this.#agent.look();
    const { trouble } = this.#agent;
    if (trouble === undefined) return { status: 'pass' };
    return { status: 'warn', detail: trouble.message };
  }

  /** Lets go of what `fetch` follows. Instances, watches, sessions and sidecars are ended by whoever holds them. */
  async stop(): Promise<void> {
    this.#stopped = true;
    // Who still waits for the agent must not go on with what comes after the start.
    this.#ended.abort(
      new QuorateError(`${this.name} was stopped before it had started`, { code: 'stopped', happened: 'no' }),
    );
    this.#ended = new AbortController();
    await this.#destinations.close();
    this.#agent.close();
  }

  /** The same as `stop`. */
  close(): Promise<void> {
    return this.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
