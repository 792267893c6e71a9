import { readFile } from 'node:fs/promises';
import { type BedOf, Testbed } from '@quorate/testbed';
import { type StormOptions, type StormReport, storm } from './storm.ts';

type Ensemble = BedOf<{ zookeeper: 3 }>;

/**
 * Short ticks for short sessions, beside long ones. Not 3.9.4, whose members refuse their log within a minute of these
 * faults; 3.9.5 does now and then.
 */
export const stormBed = {
  zookeeper: { members: 3, version: '3.9.5', config: { tickTime: 250, syncLimit: 6, maxSessionTimeout: 20_000 } },
} as const;

/** What a storm needs servers for that serve. Everything else holds whatever they do. */
const ofServers = ['it was a storm', 'somebody slept through a session', 'taken over in time'];

/** How often a storm is begun on new servers. */
const attempts = 3;

/**
 * Where storms are played one after the other: an ensemble, and a new one when that is at its end. A member that was killed
 * while it caught up may have a hole in its log, and refuses then what the leader sends or what it has itself
 * (ZOOKEEPER-4882 and 4925): the ensemble elects one leader after the other for nothing, and its operator would empty the
 * folder. That says nothing about those who hold and lead: the storm is played again, unless it has shown a fault of theirs.
 */
export class Ground implements AsyncDisposable {
  /** How many ensembles have come to their end. */
  spent = 0;
  readonly #signal: AbortSignal | undefined;
  #ensemble: Ensemble;

  static async open(signal?: AbortSignal): Promise<Ground> {
    return new Ground(await Testbed.start(stormBed, { ...(signal && { signal }) }), signal);
  }

  private constructor(ensemble: Ensemble, signal: AbortSignal | undefined) {
    this.#ensemble = ensemble;
    this.#signal = signal;
  }

  async play(options: StormOptions): Promise<StormReport> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const report = await storm(this.#ensemble, options);
        const wrong = report.verdicts.filter(({ result }) => result !== 'valid');
        if (wrong.length === 0 || wrong.some(({ check }) => !ofServers.includes(check))) return report;
        if (attempt === attempts || !(await this.#refused())) return report;
      } catch (error) {
        if (attempt === attempts || !(await this.#refused())) throw error;
      }
      this.spent += 1;
      await this.#ensemble.stop();
      this.#ensemble = await Testbed.start(stormBed, { ...(this.#signal && { signal: this.#signal }) });
    }
  }

  async #refused(): Promise<boolean> {
    const logs = await Promise.all(this.#ensemble.zookeeper.members.map(({ logFile }) => readFile(logFile, 'utf8')));
    return logs.some((log) => log.includes('Committed proposal cached out of order'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ensemble.stop();
  }
}
