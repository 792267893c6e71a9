import { checkNames, InvalidArgumentError } from '@quorate/core';
import type { Agent } from '../agent/agent.ts';
import { fields, list, number, text, truth } from '../agent/shape.ts';
import { checkName } from '../arguments.ts';
import type { Propagation } from './propagation.ts';
import { consulMatch, type RequestMatch } from './router.ts';

/** May these requests pass? The first permission that matches decides; what matches none goes by Consul's default policy. */
export interface Permission extends RequestMatch {
  readonly action: 'allow' | 'deny';
}

export interface Intention {
  readonly source: string;
  readonly destination: string;
  /** `rules`: it depends on the request. */
  readonly action: 'allow' | 'deny' | 'rules';
  readonly permissions: number;
  /** The higher one counts, where several match. */
  readonly precedence: number;
}

interface RawIntention {
  readonly SourceName: string;
  readonly DestinationName: string;
  readonly Action?: string;
  readonly Permissions?: readonly unknown[] | null;
  readonly Precedence: number;
}

const rawIntention = fields({ SourceName: text, DestinationName: text, Precedence: number });

interface Waiting {
  readonly signal?: AbortSignal;
}

/** Who may talk to whom. `*` stands for every service. Each change resolves when the sidecars of this process have it. */
export class Intentions {
  readonly #agent: Agent;
  readonly #propagation: Propagation;

  constructor(agent: Agent, propagation: Propagation) {
    this.#agent = agent;
    this.#propagation = propagation;
  }

  async allow(source: string, destination: string, waiting: Waiting = {}): Promise<void> {
    await this.#put(source, destination, { Action: 'allow' }, waiting);
  }

  async deny(source: string, destination: string, waiting: Waiting = {}): Promise<void> {
    await this.#put(source, destination, { Action: 'deny' }, waiting);
  }

  /** By path and method; the destination must speak HTTP (`defaults(name, { protocol: 'http' })`). */
  async rules(
    source: string,
    destination: string,
    permissions: readonly Permission[],
    waiting: Waiting = {},
  ): Promise<void> {
    if (!Array.isArray(permissions) || permissions.length === 0) {
      throw new InvalidArgumentError('permissions', 'at least one permission', permissions);
    }
    const Permissions = permissions.map(({ action, ...match }: Permission, index) => {
      const argument = `permissions[${index}]`;
      if (action !== 'allow' && action !== 'deny') {
        throw new InvalidArgumentError(`${argument}.action`, 'allow or deny', action);
      }
      if (Object.keys(match).length === 0) throw new InvalidArgumentError(argument, 'a path, methods or headers');
      return { Action: action, HTTP: consulMatch(argument, match) };
    });
    await this.#put(source, destination, { Permissions }, waiting);
  }

  /** Removing what is not there is no error. */
  async remove(source: string, destination: string, { signal }: Waiting = {}): Promise<void> {
    checkPair(source, destination);
    await this.#write(source, destination, { method: 'DELETE' }, signal);
  }

  /** Those that the token may see. */
  async list({ signal }: Waiting = {}): Promise<readonly Intention[]> {
    const ask = { operation: 'list intentions', path: '/connect/intentions', shape: list(rawIntention), signal };
    const { body } = await this.#agent.call<RawIntention[]>(ask);
    return body.map(({ SourceName, DestinationName, Action, Permissions, Precedence }) => ({
      source: SourceName,
      destination: DestinationName,
      action: Permissions?.length ? 'rules' : Action === 'deny' ? 'deny' : 'allow',
      permissions: Permissions?.length ?? 0,
      precedence: Precedence,
    }));
  }

  /** Whether a connection would be allowed now, by the intentions and the default. */
  async allows(source: string, destination: string, { signal }: Waiting = {}): Promise<boolean> {
    checkName('source', source);
    checkName('destination', destination);
    const { body } = await this.#agent.call<{ Allowed: boolean }>({
      operation: `check ${source} to ${destination}`,
      path: '/connect/intentions/check',
      query: { source, destination },
      shape: fields({ Allowed: truth }),
      signal,
    });
    return body.Allowed;
  }

  async #put(source: string, destination: string, body: object, waiting: Waiting): Promise<void> {
    checkPair(source, destination);
    checkNames('options', waiting, ['signal']);
    await this.#write(source, destination, { method: 'PUT', body }, waiting.signal);
  }

  async #write(
    source: string,
    destination: string,
    request: { readonly method: 'PUT' | 'DELETE'; readonly body?: object },
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const write = async (): Promise<void> => {
      await this.#agent.call({
        operation: `${request.method === 'PUT' ? 'set' : 'remove'} the intention ${source} to ${destination}`,
        path: '/connect/intentions/exact',
        query: { source, destination },
        signal,
        ...request,
      });
    };
    const concerned = ({ service }: { readonly service: string }): boolean =>
      destination === '*' || service === destination;
    await this.#propagation.through(write, concerned, signal);
  }
}

function checkPair(source: string, destination: string): void {
  if (source !== '*') checkName('source', source);
  if (destination !== '*') checkName('destination', destination);
}
