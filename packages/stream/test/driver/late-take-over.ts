import { eventually } from '@quorate/testbed';
import { expect } from 'vitest';
import type { Assignment } from '../../src/consuming/assignment.ts';
import { Transactions } from '../../src/consuming/transactions.ts';
import type { Driver } from '../../src/driver/driver.ts';
import type { KafkaRecord } from '../../src/driver/record.ts';
import { contractTest as test } from './contract.ts';
import type { Drivers } from './drivers.ts';
import { eachDriver } from './each-driver.ts';
import type { Member } from './member.ts';
import { failure, record, Stage, series, unique } from './stage.ts';

/** What a member does with the first partition of a topic, by hand. */
class Worker {
  committed: bigint | undefined;
  readonly #transactions: Transactions;
  readonly #assignment: Assignment;
  readonly #closing = new AbortController();
  #round: { readonly position: bigint; readonly records: readonly KafkaRecord[] } | undefined;

  static async open(driver: Driver, group: string, { held, as }: Member, out: string): Promise<Worker> {
    const [assigned] = held;
    if (!assigned) throw new Error('it has no partition');
    const worker = new Worker(driver, group, assigned.topic, as, out);
    worker.committed = await worker.#transactions.open(assigned, worker.#closing.signal);
    return worker;
  }

  private constructor(driver: Driver, group: string, topic: string, as: Member['as'], out: string) {
    this.#transactions = new Transactions(driver, group);
    const work = {
      partition: { topic, partition: 0 },
      bytes: 0,
      takeRound: () => {
        const round = this.#round;
        this.#round = undefined;
        const outputs = round?.records.map((one) => ({ topic: out, partition: 0, record: one }));
        return round && { position: round.position, sources: [{ outputs }], bytes: 0 };
      },
    };
    this.#assignment = {
      works: new Map([['', work]]),
      as,
      closing: this.#closing.signal,
      markCommitted: ([{ offset }]: [{ readonly offset: bigint }]) => {
        this.committed = offset;
      },
      relieve: () => {},
    } as unknown as Assignment;
  }

  async write(position: bigint, values: readonly string[]): Promise<void> {
    this.#round = { position, records: values.map((value) => record(value)) };
    await this.retry();
  }

  /** Believes that the partition is its own. */
  async retry(): Promise<void> {
    await this.#transactions.commit(this.#assignment, undefined, () => true);
  }
}

/** Part of the contract of the drivers, and what transactions make of it. */
export function takesBackTooLate(which: Drivers): void {
  eachDriver(which, 'has transactions that commit offsets', (_name, open) => {
    test('as a member of the last sharing only', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic();
      await stage.witness.produce(topic, 0, series('m', 5));
      const group = unique('g');
      const a = await stage.member({ group, topics: [topic] });
      await eventually('it has it', () => a.partitions.length === 1);
      const before = a.as;
      const transactor = await stage.transactor(unique('id'));
      const offsets = [{ topic, partition: 0, offset: 3n }];
      await transactor.begin();
      await transactor.sendOffsets(group, offsets, before);
      await transactor.commit();
      a.reader.rejoin();
      await eventually('it has it anew', () => a.assignments === 2);
      expect(a.held).toEqual([{ topic, partition: 0, offset: 3n, missed: 0n }]);
      expect(a.as).not.toEqual(before);
      const strangers = [before, { member: 'nobody', generation: a.as?.generation ?? 0 }];
      for (const stranger of strangers) {
        await transactor.begin();
        const refused = await failure(() =>
          transactor.sendOffsets(group, [{ topic, partition: 0, offset: 1n }], stranger),
        );
        expect(refused).toMatchObject({ code: 'not-a-member', happened: 'no', group });
        await transactor.abort();
      }
      expect(await stage.witness.committed(group, topic)).toBe(3n);
    });

    test('once, also when a member takes its id back after the group has given its partition to another', async ({
      bed,
    }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const [topic, out] = [await stage.topic(), await stage.topic()];
      await stage.witness.produce(topic, 0, series('m', 9));
      const group = unique('g');
      const late = await stage.member({ group, topics: [topic] });
      await eventually('it has it', () => late.partitions.length === 1);
      const driver = await stage.driver();
      const a = await Worker.open(driver, group, late, out);
      await a.write(2n, ['m-0', 'm-1']);
      expect(a.committed).toBe(2n);
      await late.stop();
      const next = await stage.member({ group, topics: [topic] });
      await eventually('the next has it', () => next.partitions.length === 1);
      const b = await Worker.open(driver, group, next, out);
      expect(b.committed).toBe(2n);
      // It is refused, and takes the id back: it does not know yet that it is no member any more.
      await a.write(5n, ['m-2', 'm-3', 'm-4']);
      await a.retry();
      await b.write(6n, ['m-2', 'm-3', 'm-4', 'm-5']);
      await a.retry();
      for (let turn = 0; turn < 4 && b.committed !== 6n; turn += 1) await b.retry();
      expect([a.committed, b.committed]).toEqual([2n, 6n]);
      const follower = await stage.follower({ topic: out, from: new Map([[0, 0n]]) });
      await eventually('all is seen', () => follower.values().length >= 6);
      expect(follower.values()).toEqual(series('m', 6));
      expect(await stage.witness.committed(group, topic)).toBe(6n);
    });
  });
}
