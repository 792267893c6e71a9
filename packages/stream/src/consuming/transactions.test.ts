import { AmbiguousError } from '@quorate/core';
import { expect, test } from 'vitest';
import type { Driver } from '../driver/driver.ts';
import type { GroupReader } from '../driver/group-reader.ts';
import type { Transactor } from '../driver/transactor.ts';
import { FencedProducerError } from '../errors/fenced-producer-error.ts';
import { MessageTooLargeError } from '../errors/message-too-large-error.ts';
import { NotAMemberError } from '../errors/not-a-member-error.ts';
import type { Assignment } from './assignment.ts';
import { Entry } from './entry.ts';
import { Transactions } from './transactions.ts';

const partition = { topic: 't', partition: 0 };
const unknown = new AmbiguousError('nobody knows');
const fenced = new FencedProducerError('g.t.0');
const member = { member: 'm', generation: 3 };

/** A worker of one partition, and a cluster in which its commits go as they are told. */
class Place {
  /** What was asked for, in order. */
  readonly asked: string[] = [];
  /** How the next requests of each kind end; well by default. */
  readonly failures = new Map<string, (Error | undefined)[]>();
  /** As whom offsets were to be committed. */
  readonly as: unknown[] = [];
  rejoined = 0;
  /** Messages of which something came. */
  sources: readonly Entry[] = [];
  /** Those that were given up, and why not. */
  readonly condemned: Entry[] = [];
  pardon: Error | undefined;
  committed: bigint | undefined;
  marked: bigint | undefined;
  /** Where the partition ends. */
  end = 100n;
  done: bigint | undefined;
  readonly #closing = new AbortController();
  readonly #transactions: Transactions;
  readonly #assignment: Assignment;
  #position = 0n;

  static async open(committed?: bigint): Promise<Place> {
    const place = new Place();
    place.committed = committed;
    place.done = await place.#transactions.open({ ...partition, offset: 0n, missed: 0n }, place.#closing.signal);
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
        offsets: async () => new Map([[0, this.end]]),
      },
    };
    this.#transactions = new Transactions(driver as unknown as Driver, 'g', async (_, entry) => {
      if (this.pardon) throw this.pardon;
      this.condemned.push(entry);
      entry.outputs = [];
    });
    const work = {
      partition,
      bytes: 0,
      takeRound: () => ({ position: this.#position, sources: this.sources, bytes: 0 }),
    };
    this.#assignment = {
      works: new Map([['t 0', work]]),
      closing: this.#closing.signal,
      as: member,
      markCommitted: ([{ offset }]: [{ readonly offset: bigint }]) => {
        this.marked = offset;
      },
      relieve: () => {},
    } as unknown as Assignment;
  }

  get trouble(): string | undefined {
    return this.#transactions.trouble;
  }

  async commit(position: bigint, isOurs: (since: number) => boolean = () => true): Promise<void> {
    this.#position = position;
    const reader = {
      rejoin: () => {
        this.rejoined += 1;
      },
    };
    await this.#transactions.commit(this.#assignment, reader as GroupReader, isOurs);
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
      sendOffsets: async (_group, _offsets, as) => {
        this.as.push(as);
        const failure = this.failures.get('sendOffsets')?.shift();
        if (failure) throw failure;
      },
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

test('who has taken the id back, and is not counted as a member any more by then, writes nothing', async () => {
  const place = await Place.open();
  place.failures.set('commit', [fenced]);
  await place.commit(5n);
  const answers = [true, false];
  await place.commit(5n, () => answers.shift() ?? false);
  expect([place.asked, place.marked]).toEqual([['commit', 'close', 'transactor'], undefined]);
});

test('offsets are committed as the member that has the partition; who is refused as such commits nothing there any more', async () => {
  const place = await Place.open();
  await place.commit(4n);
  expect([place.as, place.marked]).toEqual([[member], 4n]);
  place.failures.set('sendOffsets', [new NotAMemberError('g', 'ILLEGAL_GENERATION')]);
  for (let round = 0; round < 3; round += 1) await place.commit(5n);
  expect([place.asked, place.marked]).toEqual([['commit', 'close'], 4n]);
});

test('what is written does not count when the group is neither where it was left nor where it was to go: it is asked anew', async () => {
  const place = await Place.open(3n);
  place.failures.set('commit', [unknown]);
  await place.commit(5n);
  place.committed = 4n;
  for (let round = 0; round < 3; round += 1) await place.commit(5n);
  expect([place.asked, place.marked, place.rejoined]).toEqual([['commit', 'renew', 'close'], undefined, 1]);
});

test('the group does not go back behind what a predecessor has committed', async () => {
  const place = await Place.open(8n);
  await place.commit(5n);
  await place.commit(8n);
  expect([place.done, place.asked, place.marked]).toEqual([8n, [], 8n]);
  await place.commit(9n);
  expect([place.asked, place.marked]).toEqual([['commit'], 9n]);
});

test('what was committed for a log that is no more counts for nothing in the one that there is', async () => {
  const place = await Place.open(500n);
  expect(place.done).toBeUndefined();
  await place.commit(5n);
  expect([place.asked, place.marked]).toEqual([['commit'], 5n]);
});

/** Messages of each of which one record came. */
function sources(count: number): Entry[] {
  const record = { key: null, value: null, headers: [], timestamp: 0 };
  return Array.from({ length: count }, (_, index) => {
    const entry = new Entry({ ...record, offset: BigInt(index) }, 0);
    entry.outputs = [{ topic: 'out', partition: 0, record }];
    return entry;
  });
}

const large = new MessageTooLargeError('publish');

test('a message of which something came that is not taken is given up, and the rest is committed', async () => {
  const place = await Place.open();
  place.sources = sources(2);
  // Both together, once more to find out which, the first alone, and the second.
  place.failures.set('append', [large, large, undefined, large]);
  await place.commit(5n);
  expect([place.condemned, place.marked]).toEqual([[place.sources[1]], undefined]);
  place.asked.length = 0;
  await place.commit(5n);
  expect([place.asked, place.marked, place.trouble]).toEqual([['renew', 'append', 'commit'], 5n, undefined]);
});

test('when it cannot be given up, that is said, and it is tried again', async () => {
  const place = await Place.open();
  place.sources = sources(1);
  place.pardon = large;
  place.failures.set('append', [large, large]);
  await place.commit(5n);
  expect([place.trouble, place.marked]).toEqual([expect.stringContaining(large.message), undefined]);
  await place.commit(5n);
  expect([place.trouble, place.marked]).toEqual([undefined, 5n]);
});

test('what is too much at once, and not alone, goes in smaller parts', async () => {
  const place = await Place.open();
  place.sources = sources(2);
  place.failures.set('append', [large]);
  await place.commit(5n);
  await place.commit(5n);
  expect([place.condemned, place.trouble, place.marked]).toEqual([[], undefined, 5n]);
});
