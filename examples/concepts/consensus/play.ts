import { eventually, type History, type Server, seeded } from '@quorate/testbed';
import type { Stage } from '../demo.ts';
import { noteOfPhase } from './phases.ts';
import type { Servers } from './servers.ts';
import { ledger, Writer } from './writer.ts';

/** What can happen on this stage. */
export class Play {
  readonly #stage: Stage;
  readonly #servers: Servers;
  readonly #history: History;
  readonly #enough = new AbortController();
  readonly #faults = new Map<Server, { end(): void }>();
  #working: Promise<unknown> = Promise.resolve();
  #killedAt = 0;
  /** From which operation on this phase counts. */
  #since = 0;
  /** The time that is worth a picture, in milliseconds since the beginning. */
  pictured: { readonly from: number; readonly to: number } = { from: 0, to: 0 };

  constructor(stage: Stage, servers: Servers, history: History) {
    this.#stage = stage;
    this.#servers = servers;
    this.#history = history;
  }

  startWriters(): AsyncDisposable {
    const { seed, signal } = this.#stage;
    const chance = seeded(seed);
    const writers = ['ann', 'ben', 'cleo'].map(
      (name) => new Writer({ name, url: this.#servers.url, history: this.#history, chance: chance.fork(name), signal }),
    );
    const enough = AbortSignal.any([signal, this.#enough.signal]);
    this.#working = Promise.all(writers.map((writer) => writer.work(enough)));
    this.#stage.tell('ann, ben, cleo', 'write, each one entry after the other');
    const dismiss = async (): Promise<void> => {
      for (const writer of writers) writer[Symbol.dispose]();
      await this.stopWriters();
    };
    return { [Symbol.asyncDispose]: dismiss };
  }

  async stopWriters(): Promise<void> {
    this.#enough.abort();
    await this.#working;
  }

  phase(name: string, why: string): void {
    this.#stage.scene(name[0]?.toUpperCase() + name.slice(1), why);
    this.#since = this.#history.operations.length;
    this.#history.note(noteOfPhase, name);
  }

  async leader(): Promise<Server> {
    const { signal } = this.#stage;
    const leader = await eventually('a leader', () => this.#servers.leader(), { signal });
    this.#stage.tell(this.#servers.nameOf(leader), this.#servers.leads);
    return leader;
  }

  async newLeader(): Promise<Server> {
    const leader = await this.leader();
    const milliseconds = Math.round(performance.now() - this.#killedAt);
    this.#stage.tell('', `${milliseconds} ms without a leader`);
    return leader;
  }

  async kill(server: Server): Promise<void> {
    const name = this.#servers.nameOf(server);
    this.#stage.tell(name, 'is killed, without a goodbye (SIGKILL)');
    if (this.#faults.size === 0) this.pictured = { from: this.#elapsed() - 60, to: this.#elapsed() + 900 };
    this.#faults.set(server, this.#history.fault('kill', name));
    this.#killedAt = performance.now();
    await server.kill();
  }

  async restart(...servers: readonly Server[]): Promise<void> {
    await Promise.all(
      servers.map(async (server) => {
        await server.start(this.#stage.signal);
        this.#faults.get(server)?.end();
        this.#stage.tell(this.#servers.nameOf(server), 'is back, with what is on its disk');
      }),
    );
  }

  /** Until the writers were told so often in this phase that their write is kept. */
  async written(count: number): Promise<void> {
    await this.#ended(count, (outcome) => outcome === 'ok', 'acknowledgements');
  }

  /** Until the writers have tried so often in this phase, whatever came of it. */
  async attempted(count: number): Promise<void> {
    await this.#ended(count, (outcome) => outcome !== 'pending', 'attempts');
  }

  async #ended(count: number, counts: (outcome: string) => boolean, what: string): Promise<void> {
    const { signal } = this.#stage;
    const outcomes = (): string[] => this.#history.operations.slice(this.#since).map(({ outcome }) => outcome);
    await eventually(`${count} ${what} for the writers`, () => outcomes().filter(counts).length >= count, { signal });
    const [good, bad] = [outcomes().filter((outcome) => outcome === 'ok').length, outcomes().filter(isBad).length];
    this.#stage.tell('ann, ben, cleo', `${good} of their entries on ${ledger} acknowledged, ${bad} not`);
  }

  #elapsed(): number {
    const { events } = this.#history;
    return (events.at(-1)?.at ?? 0) - (events[0]?.at ?? 0);
  }
}

function isBad(outcome: string): boolean {
  return outcome === 'failed' || outcome === 'ambiguous';
}
