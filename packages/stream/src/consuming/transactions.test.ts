import { AmbiguousError } from '@quorate/core';
import { expect, test } from 'vitest';
import type { Driver } from '../driver/driver.ts';
import type { Transactor } from '../driver/transactor.ts';
import { FencedProducerError } from '../errors/fenced-producer-error.ts';
import type { Assignment } from './assignment.ts';
import { Transactions } from './transactions.ts';

const partition = { topic: 't', partition: 0 };
const unknown = new AmbiguousError('nobody knows');
const fenced = new FencedProducerError('g.t.0');

/** A worker of one partition, and a cluster in which its commits go as they are told. */
class Place {
  /** What was asked for, in order. */
  readonly asked: string[] = [];
  /** How the next requests of each kind end; well by default. */
  readonly failures = new Map<string, (Error | undefined)[]>();
  committed: bigint | undefined;
  marked: bigint | undefined;
  readonly #closing = new AbortController();
  readonly #transactions: Transactions;
  readonly #assignment: Assignment;
  #position = 0n;

  static async open(): Promise<Place> {
    const place = new Place();
    await place.#transactions.open(partition, place.#closing.signal);
    place.asked.length = 0;
    return place;
  }

  private constructor() {
    const driver = {
      transactor: async () => {
        this.#ask('transactor');
        return this.#transactor();
      },
      admin: {
        committed: async () => (this.committed === undefined ? [] : [{ ...partition, offset: this.committed }]),
      },
    };
    this.#transactions = new Transactions(driver as unknown as Driver, 'g');
    const work = {
      partition,
      bytes: 0,
      takeRound: () => ({ position: this.#position, outputs: [], bytes: 0 }),
    };
    this.#assignment = {
      works: new Map([['t 0', work]]),
      closing: this.#closing.signal,
      markCommitted: ([{ offset }]: [{ readonly offset: bigint }]) => {
        this.marked = offset;
      },
      relieve: () => {},
    } as unknown as Assignment;
  }

  async commit(position: bigint, isOurs: (since: number) => boolean = () => true): Promise<void> {
    this.#position = position;
    await this.#transactions.commit(this.#assignment, undefined, isOurs);
  }

  #ask(what: string): void {
    this.asked.push(what);
    const failure = this.failures.get(what)?.shift();
    if (failure) throw failure;
  }

  #transactor(): Transactor {
    const one =
      (what: string): (() => Promise<never>) =>
      async () =>
        this.#ask(what) as never;
    return {
      id: 'g.t.0',
      begin: async () => {},
      append: one('append'),
      sendOffsets: async () => {},
      commit: one('commit'),
      abort: one('abort'),
      renew: one('renew'),
      close: one('close'),
    };
  }
}

test('what became of a commit that nobody knew is found out by whoever made it, and the id is taken from nobody', async () => {
  const place = await Place.open();
  place.failures.set('commit', [unknown]);
  await place.commit(5n);
  expect(place.marked).toBeUndefined();
  place.committed = 5n;
  await place.commit(5n);
  expect([place.asked, place.marked]).toEqual([['commit', 'renew'], 5n]);
  await place.commit(6n);
  expect([place.asked, place.marked]).toEqual([['commit', 'renew', 'commit'], 6n]);
});

test('what was not committed is written again, and so it is when finding out fails for a while', async () => {
  const place = await Place.open();
  place.failures.set('commit', [unknown]);
  place.failures.set('renew', [unknown, unknown]);
  for (let round = 0; round < 4; round += 1) await place.commit(5n);
  expect([place.asked, place.marked]).toEqual([['commit', 'renew', 'renew', 'renew', 'commit'], 5n]);
});

test('who was refused takes the id over only when the group has counted it as a member since', async () => {
  const place = await Place.open();
  place.failures.set('commit', [unknown]);
  place.failures.set('renew', [fenced]);
  await place.commit(5n);
  const before = performance.now();
  await place.commit(5n);
  let since = 0;
  const stale = (at: number): boolean => {
    since = at;
    return false;
  };
  for (let round = 0; round < 3; round += 1) await place.commit(5n, stale);
  expect([place.asked, place.marked]).toEqual([['commit', 'renew'], undefined]);
  expect(since).toBeGreaterThanOrEqual(before);
  await place.commit(5n);
  expect([place.asked, place.marked]).toEqual([['commit', 'renew', 'close', 'transactor', 'commit'], 5n]);
});
