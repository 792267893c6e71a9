import { ByKey } from './by-key.ts';

/** A key on its way, as far as those are concerned who do not wait for it. */
export interface Flying {
  readonly key: string;
  readonly result: Promise<unknown>;
  /** Something was changed meanwhile: what it brings is given out to those who wait, and not kept in this process. */
  dirty: boolean;
  abort(reason: unknown): void;
}

/** All keys that are on their way in this process. */
export class Flights<Flight extends Flying> {
  /** Whom callers join. */
  readonly joinable: ByKey<Flight> = new ByKey();
  /** What is loaded anew while callers get what there is. */
  readonly refreshes: ByKey<Flight> = new ByKey();
  /** All that has not ended, also what nobody joins any more. */
  readonly underWay: Set<Flight> = new Set();

  /** From now on nobody joins this key's flight, and what it brings is not kept in this process. */
  supersede(key: string): void {
    for (const flights of [this.joinable, this.refreshes]) {
      const flight = flights.get(key);
      if (flight === undefined) continue;
      flight.dirty = true;
      flights.delete(key);
    }
  }

  supersedeAll(): void {
    for (const flights of [this.joinable, this.refreshes]) {
      for (const flight of flights.values()) flight.dirty = true;
      flights.clear();
    }
  }

  /** Those who have something left to do, such as to give a lease back, do it. */
  async end(reason: unknown): Promise<void> {
    const ending = [...this.underWay];
    for (const flight of ending) flight.abort(reason);
    await Promise.allSettled(ending.map(({ result }) => result));
  }
}
