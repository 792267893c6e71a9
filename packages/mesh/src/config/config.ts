import { isQuorateError } from '@quorate/core';
import type { Agent } from '../agent/agent.ts';
import { fields, list, number, text } from '../agent/shape.ts';
import { checkService } from '../arguments.ts';
import type { Sidecar } from '../sidecar/sidecar.ts';
import type { Entry, EntryKind } from './entry.ts';
import type { Propagation } from './propagation.ts';

/** An entry as Consul has it, in Consul's own words. */
export interface StoredEntry {
  readonly Kind: EntryKind;
  readonly Name: string;
  readonly ModifyIndex: number;
  readonly [setting: string]: unknown;
}

const storedEntry = fields({ Kind: text, Name: text, ModifyIndex: number });

interface Waiting {
  readonly signal?: AbortSignal;
}

/** What holds for services as a whole: `mesh.config.put(splitter('query', { v1: 90, v2: 10 }))`. */
export class Config {
  readonly #agent: Agent;
  readonly #propagation: Propagation;

  constructor(agent: Agent, propagation: Propagation) {
    this.#agent = agent;
    this.#propagation = propagation;
  }

  /** Resolves when Consul has it, and the sidecars of this process that it concerns. */
  async put({ kind, name, settings }: Entry, { signal }: Waiting = {}): Promise<void> {
    const write = async (): Promise<void> => {
      await this.#agent.call({
        operation: `put ${kind} ${name}`,
        method: 'PUT',
        path: '/config',
        body: { ...settings, Kind: kind, Name: name },
        signal,
      });
    };
    await this.#propagation.through(write, (sidecar) => concerns(sidecar, kind, name), signal);
  }

  async get(kind: EntryKind, name: string, { signal }: Waiting = {}): Promise<StoredEntry | undefined> {
    checkService('name', name);
    try {
      const path = `/config/${kind}/${encodeURIComponent(name)}`;
      const ask = { operation: `get ${kind} ${name}`, path, shape: storedEntry, signal };
      return (await this.#agent.call<StoredEntry>(ask)).body;
    } catch (error) {
      if (isQuorateError(error, 'not-found')) return undefined;
      throw error;
    }
  }

  /** Those that the token may see. */
  async list(kind: EntryKind, { signal }: Waiting = {}): Promise<readonly StoredEntry[]> {
    const { body } = await this.#agent.call<StoredEntry[]>({
      operation: `list ${kind}`,
      path: `/config/${kind}`,
      shape: list(storedEntry),
      signal,
    });
    return body;
  }

  /** Deleting what is not there is no error. Resolves as `put` does. */
  async delete(kind: EntryKind, name: string, { signal }: Waiting = {}): Promise<void> {
    checkService('name', name);
    const write = async (): Promise<void> => {
      await this.#agent.call({
        operation: `delete ${kind} ${name}`,
        method: 'DELETE',
        path: `/config/${kind}/${encodeURIComponent(name)}`,
        signal,
      });
    };
    await this.#propagation.through(write, (sidecar) => concerns(sidecar, kind, name), signal);
  }
}

function concerns(sidecar: Sidecar, kind: EntryKind, name: string): boolean {
  if (kind === 'proxy-defaults') return true;
  // What a service speaks concerns its own sidecar too; the ways to it only those who go there.
  return sidecar.upstreams.includes(name) || (kind === 'service-defaults' && sidecar.service === name);
}
