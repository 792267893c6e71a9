import type { Agent } from '../agent/agent.ts';
import { fields, number } from '../agent/shape.ts';
import { consulRegistration, type Said } from './consul-registration.ts';
import type { Registered } from './registration.ts';
import { proxyIdOf } from './sidecar-registration.ts';

/** The agent's entry of one instance. */
export class AgentEntry {
  readonly #agent: Agent;
  readonly #registration: Registered;

  constructor(agent: Agent, registration: Registered) {
    this.#agent = agent;
    this.#registration = registration;
  }

  async put(said: Said, signal?: AbortSignal): Promise<void> {
    await this.#agent.call({
      operation: `register ${this.#registration.id}`,
      method: 'PUT',
      path: '/agent/service/register',
      query: { 'replace-existing-checks': 'true' },
      repeatable: true,
      writes: true,
      signal,
      body: consulRegistration(this.#registration, said),
    });
  }

  /** The port that the agent has chosen for its sidecar. */
  async sidecarPort(signal?: AbortSignal): Promise<number> {
    const proxyId = proxyIdOf(this.#registration.id);
    const { body } = await this.#agent.call<{ Port: number }>({
      operation: `read ${proxyId}`,
      path: `/agent/service/${encodeURIComponent(proxyId)}`,
      shape: fields({ Port: number }),
      signal,
    });
    return body.Port;
  }

  /** Puts it into maintenance; without a reason, out of it. */
  async maintain(reason: string | undefined, signal?: AbortSignal): Promise<void> {
    const { id } = this.#registration;
    await this.#agent.ask(
      { operation: `maintenance of ${id}`, path: '/agent/service/maintenance', writes: true, signal },
      (client, options) =>
        client.agent.service.maintenance({
          id,
          enable: reason !== undefined,
          ...(reason !== undefined && { reason }),
          ...options,
        }),
    );
  }

  async forget(timeout?: number): Promise<void> {
    const { id } = this.#registration;
    await this.#agent.ask(
      {
        operation: `deregister ${id}`,
        path: '/agent/service/deregister',
        writes: true,
        ...(timeout !== undefined && { timeout }),
      },
      (client, options) => client.agent.service.deregister({ id, ...options }),
    );
  }
}
