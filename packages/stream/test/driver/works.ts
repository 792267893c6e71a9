import { drivers } from './drivers.ts';
import { Stage } from './stage.ts';
import { Witness } from './witness.ts';
import { Work } from './work.ts';

/** Partitions go back to where they belong at once: brokers lose their leadership also while they are well. */
export const restless = {
  'leader.imbalance.check.interval.seconds': 1,
  'leader.imbalance.per.broker.percentage': 0,
} as const;

/** All drivers at work at the same time, each on a topic of its own. */
export class Works implements AsyncDisposable {
  readonly #witness: Witness;
  readonly #all: Work[] = [];
  readonly #stages = new AsyncDisposableStack();

  static async on(brokers: readonly string[]): Promise<Works> {
    const works = new Works(brokers);
    try {
      await works.#begin(brokers);
      return works;
    } catch (error) {
      await works[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(brokers: readonly string[]) {
    this.#witness = this.#stages.use(new Witness(brokers));
  }

  async #begin(brokers: readonly string[]): Promise<void> {
    for (const [name, open] of drivers) {
      const stage = this.#stages.use(new Stage(open, brokers, { deliveryTimeout: 30_000 }));
      this.#all.push(await Work.by(name, stage));
    }
    await this.goOn('writes');
  }

  async goOn(what: string): Promise<void> {
    await Promise.all(this.#all.map((work) => work.goesOn(what)));
  }

  /** Ends them, and compares what each was told and has read with the log. */
  async endAndCheck(): Promise<void> {
    for (const work of this.#all) await work.end();
    for (const work of this.#all) await work.check(this.#witness);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stages[Symbol.asyncDispose]();
  }
}
