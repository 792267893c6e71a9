import { AmbiguousError, type Component, doubtful, type Health, isQuorateError } from '@quorate/core';
import type { Agent } from '../agent/agent.ts';
import { checkText } from '../arguments.ts';
import { type InstanceEvent, instanceEvents } from '../diagnostics.ts';
import { AgentEntry } from './agent-entry.ts';
import { FunctionChecks } from './function-checks.ts';
import { firstBeats, keepAlive } from './heartbeat.ts';
import { lookAfter } from './look-after.ts';
import type { Registered } from './registration.ts';
import { proxyIdOf } from './sidecar-registration.ts';

/** The trouble of a registration that was lost, and is not back whole. */
const unfinished = 'registering again';

/** How long we try to take a registration back that nobody waits for any more. */
const takeBack = 2_000;

/**
 * A registered instance. It is registered again when the agent has lost it, or its sidecar's registration — also when somebody
 * else deregistered it: while this process says that it lives, it does. Stopping or disposing deregisters it.
 */
export class Instance implements Component, AsyncDisposable {
  readonly id: string;
  /** The service's. */
  readonly name: string;
  readonly port: number | undefined;
  readonly address: string | undefined;
  readonly #agent: Agent;
  readonly #registration: Registered;
  readonly #entry: AgentEntry;
  #functions: FunctionChecks | undefined;
  #ended = new AbortController();
  #sidecarPort: number | undefined;
  #maintenance: string | undefined;
  /** Whether the agent has it, for all that we know. */
  #mayStand = false;
  #registeredAt = -Infinity;
  /** What fails now: heartbeats, looking after a registration, or putting it there again. */
  readonly #troubles = new Map<string, unknown>();
  #lookingAfter: Promise<unknown> | undefined;
  #again: Promise<boolean> | undefined;
  #writing: Promise<unknown> = Promise.resolve();
  #started: Promise<void> | undefined;
  #gone: Promise<void> | undefined;

  constructor(agent: Agent, registration: Registered) {
    this.id = registration.id;
    this.name = registration.name;
    this.port = registration.port;
    this.address = registration.address;
    this.#agent = agent;
    this.#registration = registration;
    this.#entry = new AgentEntry(agent, registration);
    this.#sidecarPort = givenPort(registration);
  }

  /**
   * Resolves when the agent has it. When it rejects, nothing stays registered, unless the error says `happened: 'unknown'`:
   * then the agent could not be told to forget it, or what was aborted on its way arrived after that. May be called again after a
   * `stop`.
   */
  start(signal?: AbortSignal): Promise<void> {
    if (this.#gone) return this.#gone.then(() => this.start(signal));
    // A deregistration has failed: the agent may have it, and nobody looks after it any more.
    if (this.#ended.signal.aborted) this.#started = undefined;
    this.#started ??= this.#start(signal).catch((error) => {
      this.#started = undefined;
      throw error;
    });
    return this.#started;
  }

  /** Deregisters it, as `deregister` does. */
  stop(): Promise<void> {
    return this.deregister();
  }

  /** Whether the agent has it, and whether requests are sent to it. Its checks are Consul's business. */
  health(): Health {
    if (this.#started === undefined) return { status: 'fail', detail: `${this.id} is not registered` };
    if (this.#ended.signal.aborted) return { status: 'fail', detail: `${this.id} is no longer looked after` };
    if (!this.#mayStand) return { status: 'fail', detail: `${this.id} is not registered now` };
    for (const trouble of this.#troubles.values()) {
      return { status: 'warn', detail: trouble instanceof Error ? trouble.message : String(trouble) };
    }
    if (this.#maintenance !== undefined) return { status: 'warn', detail: `in maintenance: ${this.#maintenance}` };
    this.#agent.look();
    const { trouble } = this.#agent;
    if (trouble) return { status: 'warn', detail: trouble.message };
    return { status: 'pass', detail: `${this.id} is registered` };
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
    await this.#inTurn(async () => {
      const before = this.#maintenance;
      // Known before it is said: where the answer is lost it may hold, and a registration must not end it.
      this.#maintenance = reason;
      await this.#entry.maintain(reason, signal).catch((error) => {
        if (isNotDone(error, signal)) this.#maintenance = before;
        throw error;
      });
    });
    this.#tell('maintenance');
  }

  async endMaintenance({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    await this.#inTurn(async () => {
      await this.#entry.maintain(undefined, signal);
      this.#maintenance = undefined;
    });
  }

  /** Resolves when the agent has forgotten it, and its sidecar's registration. May be called twice. */
  deregister(): Promise<void> {
    this.#gone ??= this.#deregister().finally(() => {
      this.#gone = undefined;
    });
    return this.#gone;
  }

  /** Deregisters. An agent that cannot be reached is told of on `quorate.mesh.instance` instead of hiding the block's error. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.deregister().catch((error) => this.#tell('failed', error));
  }

  async #start(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.#ended = new AbortController();
    this.#mayStand = false;
    this.#troubles.clear();
    this.#functions = await FunctionChecks.serve(this.#registration.checks);
    try {
      await this.#register(signal);
    } catch (error) {
      const stays = this.#mayStand && !(await this.#takeBack());
      this.#mayStand = false;
      await this.#functions?.[Symbol.asyncDispose]();
      throw stays ? this.#mayStay(error, signal) : error;
    }
    this.#tell('registered');
    const { signal: until } = this.#ended;
    const told = {
      passed: (check: string) => void this.#troubles.delete(check),
      failing: (check: string, error: unknown) => this.#failing(check, error),
    };
    keepAlive(this.#agent, this.#registration, told, until);
    const ids = [this.id, ...(this.proxyId === undefined ? [] : [this.proxyId])];
    this.#lookingAfter = Promise.all(ids.map((id) => this.#lookAfter(id, until).catch(() => undefined)));
  }

  #lookAfter(id: string, signal: AbortSignal): Promise<never> {
    return lookAfter(this.#agent, id, {
      known: async () => {
        this.#troubles.delete(id);
        return !this.#troubles.has(unfinished) || this.#registerAgain();
      },
      lost: async (asked) => {
        // It was lost with the other one, and is back with it.
        if (asked < this.#registeredAt) return;
        if (id === this.id) this.#mayStand = false;
        else this.#troubles.set(id, new Error(`${id} is not registered now`));
        await this.#registerAgain();
      },
      failing: (error) => this.#failing(id, error),
      signal,
    });
  }

  async #register(signal?: AbortSignal): Promise<void> {
    const { sidecar } = this.#registration;
    await this.#put(signal);
    if (sidecar && this.#sidecarPort === undefined) {
      this.#sidecarPort = await this.#entry.sidecarPort(signal);
      // Once more, now that the check of the port can be written down.
      await this.#put(signal);
    }
    await firstBeats(this.#agent, this.#registration, signal);
    this.#registeredAt = performance.now();
  }

  async #put(signal?: AbortSignal): Promise<void> {
    const put = this.#entry.put(
      {
        sidecarPort: this.#sidecarPort,
        maintenance: this.#maintenance,
        served: (check) => this.#functions?.url(check) ?? '',
      },
      signal,
    );
    await put.catch((error) => {
      this.#mayStand ||= !isNotDone(error, signal);
      throw error;
    });
    this.#mayStand = true;
  }

  /**
   * Once, also when the agent has lost both; resolves with whether all of it was done. Not aborted by the end: a registration
   * given up half-way could overtake the deregistration that follows.
   */
  #registerAgain(): Promise<boolean> {
    this.#again ??= this.#inTurn(() => this.#register())
      .then(
        () => {
          this.#troubles.clear();
          this.#tell('registered-again');
          return true;
        },
        (error) => {
          this.#failing(unfinished, error);
          return false;
        },
      )
      .finally(() => {
        this.#again = undefined;
      });
    return this.#again;
  }

  /** One after the other: a registration that is under way must not undo what is said of maintenance meanwhile. */
  #inTurn(write: () => Promise<void>): Promise<void> {
    const written = this.#writing.then(write);
    this.#writing = written.catch(() => undefined);
    return written;
  }

  #failing(what: string, error: unknown): void {
    this.#troubles.set(what, error);
    this.#tell('failed', error);
  }

  async #deregister(): Promise<void> {
    await this.#started?.catch(() => undefined);
    if (this.#started === undefined) return;
    this.#ended.abort(new Error(`${this.id} is deregistered`));
    await this.#lookingAfter;
    await this.#functions?.[Symbol.asyncDispose]();
    try {
      await this.#entry.forget();
    } catch (error) {
      // Forgotten already is forgotten.
      if (!isQuorateError(error, 'not-found')) throw error;
    }
    this.#started = undefined;
    this.#mayStand = false;
    // Started again it is a new one: nobody has put it into maintenance, and its sidecar's port may be another's by now.
    this.#maintenance = undefined;
    this.#sidecarPort = givenPort(this.#registration);
    this.#tell('deregistered');
  }

  /** The reason of an abort may be anything, and says nothing of what the agent has. */
  #mayStay(error: unknown, signal: AbortSignal | undefined): unknown {
    if (isQuorateError(error)) return doubtful(error, { idempotent: !signal?.aborted });
    return new AmbiguousError(`register ${this.id}: given up, and the agent may have it`, { cause: error });
  }

  /** The agent may have it although we were not told. Whether it is certain that it has not. */
  async #takeBack(): Promise<boolean> {
    return this.#entry.forget(takeBack).then(
      () => true,
      (error) => isQuorateError(error, 'not-found'),
    );
  }

  #tell(event: InstanceEvent['event'], error?: unknown): void {
    instanceEvents.publish({ id: this.id, event, ...(error !== undefined && { error }) });
  }
}

/** The reason of an abort comes as it is when nothing was sent. */
function isNotDone(error: unknown, signal: AbortSignal | undefined): boolean {
  return (signal?.aborted && error === signal.reason) || (isQuorateError(error) && error.happened === 'no');
}

function givenPort({ sidecar }: Registered): number | undefined {
  return typeof sidecar === 'object' ? sidecar.port : undefined;
}
