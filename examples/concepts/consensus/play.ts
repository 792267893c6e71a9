import { eventually, type History, type Server, seeded } from '@quorate/testbed';
import type { Stage } from '../demo.ts';
import { entriesFound, entryOf, noteOfPhase, outcomesOf, type Phase, phasesOf } from './phases.ts';
import type { Servers } from './servers.ts';
import { ledger, readLedger, Writer } from './writer.ts';

/** What can happen on this stage. */
export class Play {
  readonly #stage: Stage;
  readonly #servers: Servers;
  readonly #history: History;
  readonly #enough = new AbortController();
  readonly #faults = new Map<Server, { end(): void }>();
  #working: Promise<unknown> = Promise.resolve();
  #killedAt = 0;
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
    this.#stage.tell('ann, ben, cleo', `write entries below ${ledger}, each one after the other`);
    const dismiss = async (): Promise<void> => {
      for (const writer of writers) writer[Symbol.dispose]();
      await this.stopWriters();
    };
    return { [Symbol.asyncDispose]: dismiss };
  }

  /** The writes under way are finished first: they belong to the last phase. */
  async stopWriters(): Promise<void> {
    this.#enough.abort();
    await this.#working;
  }

  /** Begins a phase, and with it ends the one before: what the writers are told from now on counts here. */
  phase(name: string, why: string): void {
    const before = this.#phase;
    this.#history.note(noteOfPhase, name);
    if (before) this.#sumUp(before);
    this.#stage.scene(name[0]?.toUpperCase() + name.slice(1), why);
  }

  async leader(): Promise<Server> {
    const { signal } = this.#stage;
    const find = (): Promise<Server | undefined> => this.#servers.leader(this.#acknowledged, signal);
    const leader = await eventually('a leader', find, { signal });
    this.#stage.tell(this.#servers.nameOf(leader), this.#servers.leads);
    return leader;
  }

  async newLeader(): Promise<Server> {
    const leader = await this.leader();
    const milliseconds = Math.round(performance.now() - this.#killedAt);
    this.#stage.tell('', `${milliseconds} ms ${this.#servers.gap}`);
    return leader;
  }

  async kill(server: Server): Promise<void> {
    const name = this.#servers.nameOf(server);
    this.#stage.tell(name, 'is killed (SIGKILL)');
    if (this.#faults.size === 0) this.pictured = { from: this.#elapsed() - 60, to: this.#elapsed() + 900 };
    this.#killedAt = performance.now();
    await server.kill();
    this.#faults.set(server, this.#history.fault('kill', name));
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

  /** Until that many writes were acknowledged in this phase. */
  async written(count: number): Promise<void> {
    await this.#until(`${count} acknowledged writes`, () => outcomesOf(this.#writes).acknowledged.length >= count);
  }

  /** Until that many writes have ended in this phase, whatever came of them. */
  async attempted(count: number): Promise<void> {
    await this.#until(`${count} attempts to write`, () => this.#writes.length >= count);
  }

  /** Until every write that is under way now has ended. */
  async settled(): Promise<void> {
    const pending = new Set(this.#pending);
    await this.#until('an end of the writes under way', () => this.#pending.every((id) => !pending.has(id)));
  }

  /** After the last phase: somebody who has not written reads what there is. */
  async audit(): Promise<void> {
    const { signal, tell } = this.#stage;
    const history = this.#history;
    if (this.#phase) this.#sumUp(this.#phase);
    await history.run('auditor', 'read', { key: ledger }, () => readLedger(this.#servers.url, signal));
    const found = entriesFound(history);
    const { acknowledged, unknown } = outcomesOf(phasesOf(history).flatMap(({ writes }) => writes));
    const kept = [acknowledged, unknown].map((writes) => writes.filter((write) => found.has(entryOf(write))).length);
    tell(
      'auditor',
      `finds ${found.size} entries: ${kept[0]} of ${acknowledged.length} acknowledged, ${kept[1]} of ${unknown.length} unknown`,
    );
  }

  get #phase(): Phase | undefined {
    return phasesOf(this.#history).at(-1);
  }

  get #writes(): Phase['writes'] {
    return this.#phase?.writes ?? [];
  }

  get #pending(): number[] {
    return this.#history.operations.filter(({ outcome }) => outcome === 'pending').map(({ id }) => id);
  }

  get #acknowledged(): ReadonlySet<string> {
    const all = phasesOf(this.#history).flatMap(({ writes }) => writes);
    return new Set(outcomesOf(all).acknowledged.map(entryOf));
  }

  async #until(what: string, condition: () => boolean): Promise<void> {
    await eventually(what, condition, { signal: this.#stage.signal });
  }

  #sumUp({ name }: Phase): void {
    const phase = phasesOf(this.#history).find((one) => one.name === name);
    const { acknowledged, refused, unknown } = outcomesOf(phase?.writes ?? []);
    const text = `${acknowledged.length} writes acknowledged, ${refused.length} refused, ${unknown.length} unknown`;
    this.#stage.tell('ann, ben, cleo', text);
  }

  #elapsed(): number {
    const { events } = this.#history;
    return (events.at(-1)?.at ?? 0) - (events[0]?.at ?? 0);
  }
}
