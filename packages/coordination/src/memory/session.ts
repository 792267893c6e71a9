import type { ZooKeeper } from '@quorate/zookeeper';
import { type Answer, type InProcess, inProcess, type Question, type Servers } from '@quorate/zookeeper/in-process';
import { Pulse } from '../lease/pulse.ts';
import type { Asker, Ensemble } from './ensemble.ts';
import type { Turns } from './turns.ts';

/** The writes whose reply can be lost. */
export const writes = ['create', 'set', 'delete', 'setAcl', 'transaction'] as const;
export type MemoryWrite = (typeof writes)[number];

interface SessionOptions {
  readonly sessionTimeout: number;
  readonly tokenEpoch: number | undefined;
}

/** One session, with the connection between its client and the ensemble. */
export class Session implements Servers {
  readonly id: bigint;
  readonly sessionTimeout: number;
  readonly #ensemble: Ensemble;
  readonly #turns: Turns;
  readonly #client: InProcess;
  #connection: Asker | undefined;
  /** The writes of which the next one is done and its reply lost. */
  #losing: readonly string[] = [];
  /** The ensemble has ended it, and the client has not heard of it. */
  #isForgotten = false;

  constructor(ensemble: Ensemble, turns: Turns, { sessionTimeout, tokenEpoch }: SessionOptions) {
    this.#client = inProcess(this, { tokenEpoch });
    Pulse.trust(this.#client.zk);
    this.id = ensemble.begin();
    this.sessionTimeout = sessionTimeout;
    this.#ensemble = ensemble;
    this.#turns = turns;
    this.#connection = this.#connected();
  }

  get zk(): ZooKeeper {
    return this.#client.zk;
  }

  ask(question: Question, answered: (answer: Answer) => void): void {
    const connection = this.#connection;
    if (this.#isForgotten) {
      // Whatever the servers are asked through it, they say that there is no such session.
      this.#turns.later(() => this.#client.expired());
      return;
    }
    this.#turns.later(() => {
      // What was under way when the connection was cut is not done.
      if (!connection || connection !== this.#connection) return;
      if (this.#losing.includes(question.kind)) {
        this.#loseReply(connection, question);
        return;
      }
      answered(this.#ensemble.answer(connection, question));
      if (question.kind === 'close') this.#cut();
    });
  }

  end(): Promise<void> {
    this.#cut();
    return this.#turns.done(() => this.#ensemble.end(this.id));
  }

  suspend(): Promise<void> {
    this.#cut();
    return this.#turns.done(() => this.#client.disconnected());
  }

  forget(): Promise<void> {
    this.#cut();
    this.#isForgotten = true;
    return this.#turns.done(() => this.#ensemble.end(this.id));
  }

  async resume(): Promise<void> {
    if (this.#isForgotten) return this.expire();
    await this.#turns.done(() => this.#connect());
    // By the next turn the ensemble has placed its watches again.
    await this.#turns.done(() => undefined);
  }

  expire(): Promise<void> {
    this.#cut();
    return this.#turns.done(() => {
      // The client's clock runs out before the servers' do: it knows before anybody else can hold what it held.
      this.#client.expired();
      this.#ensemble.end(this.id);
    });
  }

  loseReply(operations: readonly MemoryWrite[]): void {
    this.#losing = operations;
  }

  #loseReply(connection: Asker, question: Question): void {
    this.#losing = [];
    // First, so that the events of the write are lost with its reply.
    this.#cut();
    this.#ensemble.answer(connection, question);
    this.#client.disconnected();
    this.#turns.later(() => this.#connect());
  }

  #connect(): void {
    if (this.#connection) return;
    this.#connection = this.#connected();
    this.#client.reconnected();
  }

  #connected(): Asker {
    return { session: this.id, notified: (event) => this.#client.notified(event) };
  }

  #cut(): void {
    if (this.#connection) this.#ensemble.watches.drop(this.#connection);
    this.#connection = undefined;
  }
}
