import { backoff, doubtful, isQuorateError, sleep } from '@quorate/core';
import type { Agent } from '../agent/agent.ts';
import { checkText } from '../arguments.ts';
import { type InstanceEvent, instanceEvents } from '../diagnostics.ts';
import { milliseconds } from '../duration.ts';
import { consulCheck } from './check.ts';
import { FunctionChecks } from './function-checks.ts';
import { firstBeats, keepAlive } from './heartbeat.ts';
import type { Registered } from './registration.ts';
import { consulSidecar, proxyIdOf } from './sidecar-registration.ts';

/** How long the agent is left alone between two looks at whether it still knows us. */
const look = 60_000;

/** How long we try to take a registration back that nobody waits for any more. */
const takeBack = 2_000;

/**
 * A registered instance. It is registered again when the agent has lost it — also when somebody else deregistered it:
 * while this process says that it lives, it does. Disposing deregisters it.
 */
export class Instance implements AsyncDisposable {
  readonly id: string;
  readonly name: string;
  readonly port: number | undefined;
  readonly address: string | undefined;
  readonly #agent: Agent;
  readonly #registration: Registered;
  readonly #functions: FunctionChecks | undefined;
  readonly #ended = new AbortController();
  #sidecarPort: number | undefined;
  #maintenance: string | undefined;
  #lookingAfter: Promise<void> | undefined;
  #gone: Promise<void> | undefined;

  /** Resolves when the agent has it. When it rejects, or `signal` aborts, nothing stays registered. */
  static async register(agent: Agent, registration: Registered, signal?: AbortSignal): Promise<Instance> {
    signal?.throwIfAborted();
    const functions = await FunctionChecks.serve(registration.checks);
    const instance = new Instance(agent, registration, functions);
    try {
      await instance.#register(signal);
    } catch (error) {
      const mayStay = (signal?.aborted || isQuorateError(error, 'agent-unreachable')) && !(await instance.#takeBack());
      await functions?.[Symbol.asyncDispose]();
      throw mayStay && signal?.aborted ? doubtful(error) : error;
    }
    instance.#tell('registered');
    keepAlive(agent, registration, (error) => instance.#tell('failed', error), instance.#ended.signal);
    instance.#lookingAfter = instance.#stayRegistered().catch(() => undefined);
    return instance;
  }

  private constructor(agent: Agent, registration: Registered, functions: FunctionChecks | undefined) {
    this.id = registration.id;
    this.name = registration.name;
    this.port = registration.port;
    this.address = registration.address;
    this.#agent = agent;
    this.#registration = registration;
    this.#functions = functions;
    const { sidecar } = registration;
    this.#sidecarPort = typeof sidecar === 'object' ? sidecar.port : undefined;
  }

  /** The id of its sidecar's registration, when it has one. */
  get proxyId(): string | undefined {
    return this.#registration.sidecar && proxyIdOf(this.id);
  }

  /** The port where other sidecars reach its own. */
  get sidecarPort(): number | undefined {
    return this.#sidecarPort;
  }

  /** Nobody is sent here any more, until `endMaintenance`; the reason is shown to people. Survives a lost registration. */
  async maintenance(reason: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    checkText('reason', reason);
    await this.#maintain(reason, signal);
    this.#maintenance = reason;
    this.#tell('maintenance');
  }

  async endMaintenance({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    this.#maintenance = undefined;
    await this.#maintain(undefined, signal);
  }

  /** Resolves when the agent has forgotten it, and its sidecar's registration. May be called twice. */
  deregister(): Promise<void> {
    this.#gone ??= this.#deregister().catch((error) => {
      this.#gone = undefined;
      throw error;
    });
    return this.#gone;
  }

  /** Deregisters. An agent that cannot be reached is told of on `quorate.mesh.instance` instead of hiding the block's error. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.deregister().catch((error) => this.#tell('failed', error));
  }

  async #register(signal?: AbortSignal): Promise<void> {
    const { sidecar } = this.#registration;
    await this.#put(signal);
    if (sidecar && this.#sidecarPort === undefined) {
      const { body } = await this.#agent.call<{ Port: number }>({
        operation: `read ${this.proxyId}`,
        path: `/agent/service/${encodeURIComponent(proxyIdOf(this.id))}`,
        signal,
      });
      this.#sidecarPort = body.Port;
      // Once more, now that the check of the port can be written down.
      await this.#put(signal);
    }
    await firstBeats(this.#agent, this.#registration, signal);
    if (this.#maintenance !== undefined) await this.#maintain(this.#maintenance, signal);
  }

  async #put(signal?: AbortSignal): Promise<void> {
    const { name, id, port, address, tags, meta, weights, checks, sidecar, ...rest } = this.#registration;
    const after = rest.deregisterCriticalServiceAfter;
    const place = {
      id,
      address,
      port,
      deregisterAfter: after === undefined ? undefined : `${milliseconds('deregister', after)}ms`,
      served: (check: Parameters<FunctionChecks['url']>[0]) => this.#functions?.url(check) ?? '',
    };
    const upstreams = sidecar === true ? {} : sidecar;
    await this.#agent.call({
      operation: `register ${id}`,
      method: 'PUT',
      path: '/agent/service/register',
      query: { 'replace-existing-checks': 'true' },
      repeatable: true,
      writes: true,
      signal,
      body: {
        Name: name,
        ID: id,
        Port: port,
        Address: address,
        Tags: tags,
        Meta: meta,
        ...(weights && { Weights: { Passing: weights.passing, Warning: weights.warning ?? 1 } }),
        Checks: checks.map((check, index) => consulCheck(check, index, place)),
        ...(upstreams && { Connect: { SidecarService: consulSidecar(id, upstreams, this.#sidecarPort) } }),
      },
    });
  }

  /** The agent is asked to answer when what it knows of us changes: an agent that lost us is noticed at once. */
  async #stayRegistered(): Promise<void> {
    const { signal } = this.#ended;
    const delays = backoff({ min: 100, max: 5_000 });
    let hash: string | undefined;
    for (;;) {
      try {
        const known = await this.#agent.call({
          operation: `look after ${this.id}`,
          path: `/agent/service/${encodeURIComponent(this.id)}`,
          query: hash === undefined ? {} : { hash, wait: `${look}ms` },
          timeout: look + look / 16 + 10_000,
          background: true,
          signal,
        });
        // Without a change this was a full wait; with one there may be more to come.
        if (known.hash === undefined || known.hash !== hash) await sleep(100, { signal, background: true });
        hash = known.hash;
        delays.reset();
      } catch (error) {
        signal.throwIfAborted();
        hash = undefined;
        if (isQuorateError(error, 'not-found')) await this.#registerAgain();
        else this.#tell('failed', error);
        await sleep(delays.next(), { signal, background: true });
      }
    }
  }

  /** Not aborted by the end: a registration given up half-way could overtake the deregistration that follows. */
  async #registerAgain(): Promise<void> {
    try {
      await this.#register();
      this.#tell('registered-again');
    } catch (error) {
      this.#tell('failed', error);
    }
  }

  async #maintain(reason: string | undefined, signal?: AbortSignal): Promise<void> {
    await this.#agent.ask(
      { operation: `maintenance of ${this.id}`, path: '/agent/service/maintenance', writes: true, signal },
      (client, options) =>
        client.agent.service.maintenance({
          id: this.id,
          enable: reason !== undefined,
          ...(reason !== undefined && { reason }),
          ...options,
        }),
    );
  }

  async #deregister(): Promise<void> {
    this.#ended.abort(new Error(`${this.id} is deregistered`));
    await this.#lookingAfter;
    await this.#functions?.[Symbol.asyncDispose]();
    try {
      await this.#forget();
    } catch (error) {
      // Forgotten already is forgotten.
      if (!isQuorateError(error, 'not-found')) throw error;
    }
    this.#tell('deregistered');
  }

  async #forget(timeout?: number): Promise<void> {
    await this.#agent.ask(
      {
        operation: `deregister ${this.id}`,
        path: '/agent/service/deregister',
        ...(timeout !== undefined && { timeout }),
      },
      (client, options) => client.agent.service.deregister({ id: this.id, ...options }),
    );
  }

  /** The agent may have it although we were not told. Whether it is certain that it has not. */
  async #takeBack(): Promise<boolean> {
    return this.#forget(takeBack).then(
      () => true,
      (error) => isQuorateError(error, 'not-found'),
    );
  }

  #tell(event: InstanceEvent['event'], error?: unknown): void {
    instanceEvents.publish({ id: this.id, event, ...(error !== undefined && { error }) });
  }
}
