import { isQuorateError } from '@quorate/core';
import { eventually, type History, type Seeded } from '@quorate/testbed';
import { isRefusal, type Node, SoakClient } from './client.ts';

export interface WorkloadOptions {
  readonly name: string;
  /** Every member, by the links of this client. */
  readonly url: string;
  readonly history: History;
  readonly chance: Seeded;
  /** The clock's turn: keys are taken for some seconds only, so that a check has few ambiguous operations in each. */
  readonly turn: () => number;
  /** Adds without regard to the version, as a careless program does. */
  readonly careless: boolean;
  /** A number that nobody has had. */
  readonly unique: () => number;
}

const operationTimeout = 2_000;

/** One client: its sessions, one after the other, and what it does in them. */
export class Workload implements Disposable {
  readonly name: string;
  readonly #options: WorkloadOptions;
  #client: SoakClient | undefined;
  #created = new Set<string>();
  #sessions = 0;

  constructor(options: WorkloadOptions) {
    this.name = options.name;
    this.#options = options;
  }

  get sessions(): number {
    return this.#sessions;
  }

  /** One operation, or an attempt to get a session. Gives whether it went through. */
  async step(): Promise<boolean> {
    const { chance, turn } = this.#options;
    const dice = chance.next();
    try {
      if (dice < 0.35) await this.add(`counter-${turn()}`);
      else if (dice < 0.7) await this.#compareAndSet(`register-${turn()}`);
      else if (dice < 0.8) await this.#set(`shared-${turn()}`);
      else await this.#get(`shared-${turn()}`);
      return true;
    } catch (error) {
      return isRefusal(error);
    }
  }

  /** Reads the version, then adds one if nobody has in between. */
  async add(key: string): Promise<void> {
    const client = await this.#session();
    const { value, version } = await this.#at(client, key);
    await this.#run(
      'add',
      { key, by: 1 },
      () => client.set(path(key), value + 1, this.#options.careless ? -1 : version),
      (node) => node.value,
    );
  }

  /** Linearizable only because a write of this session goes before it. */
  async read(key: string): Promise<void> {
    const client = await this.#session();
    await client.set(barrier, 0, -1);
    await this.#run(
      'read',
      { key },
      () => client.get(path(key)),
      (node) => node.value,
    );
  }

  /** Until it has got through once: what clients must do when everything is well again. */
  async recovered(key: string, within: number): Promise<void> {
    await eventually(
      `${this.name} gets through`,
      async () => {
        try {
          await this.add(key);
          return true;
        } catch (error) {
          if (isRefusal(error)) return false;
          throw error;
        }
      },
      { within },
    );
  }

  [Symbol.dispose](): void {
    this.#client?.[Symbol.dispose]();
  }

  async #compareAndSet(key: string): Promise<void> {
    const client = await this.#session();
    const { value: expect, version } = await this.#at(client, key);
    const value = this.#options.unique();
    // Values are never used again: another version means another value.
    const write = async (): Promise<boolean> => {
      try {
        await client.set(path(key), value, version);
        return true;
      } catch (error) {
        if (isQuorateError(error, 'bad-version')) return false;
        throw error;
      }
    };
    await this.#run('cas', { key, expect, value }, write, (done) => done);
  }

  async #set(key: string): Promise<void> {
    const client = await this.#session();
    await this.#at(client, key);
    const value = this.#options.unique();
    await this.#run(
      'set',
      { key, value },
      () => client.set(path(key), value, -1),
      ({ mzxid }) => ({ version: mzxid }),
    );
  }

  async #get(key: string): Promise<void> {
    const client = await this.#session();
    await this.#at(client, key);
    await this.#run(
      'get',
      { key },
      () => client.get(path(key)),
      ({ mzxid }) => ({ version: mzxid }),
    );
  }

  async #run<T>(op: string, input: unknown, work: () => Promise<T>, output: (result: T) => unknown): Promise<T> {
    return await this.#options.history.run(this.name, op, input, work, { output, failed: isRefusal });
  }

  async #session(): Promise<SoakClient> {
    if (this.#client && !this.#client.lost) return this.#client;
    this.#client = await SoakClient.open(this.#options.url, barrier, operationTimeout);
    this.#sessions += 1;
    return this.#client;
  }

  async #at(client: SoakClient, key: string): Promise<Node> {
    if (!this.#created.has(key)) {
      await client.create(path(key));
      this.#created.add(key);
    }
    return await client.get(path(key));
  }
}

const barrier = '/barrier';

function path(key: string): string {
  return `/${key}`;
}
