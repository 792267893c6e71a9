import { eventually } from '@quorate/testbed';
import { bedTest } from '@quorate/testbed/vitest';
import { describe, expect } from 'vitest';
import type { DriverName } from '../../src/index.ts';
import { restless } from '../driver/works.ts';
import { bench, Ledger, numbered } from '../fixture.ts';

/** For all that needs a cluster. */
export const threeBrokers = bedTest({ kafka: { brokers: 3, clients: ['shop'], config: restless } });

/** What is promised under faults; by one client library, for the other takes as long again. */
export function brokersSuite(driver: DriverName): void {
  describe(`by ${driver}`, () => {
    threeBrokers(
      'a broker is killed and comes back: nothing that was acknowledged is lost or there twice, and order is kept',
      async ({ bed }) => {
        await using place = await bench(bed.kafka.url, { driver, partitions: 6, replication: 3 });
        const rides = place.open();
        const ledger = new Ledger(24);
        await using consumer = await rides.consume({ group: 'through', handler: ledger.note });
        const all = numbered(6_000, 24);
        const outcomes = new Map<number, 'written' | 'unknown' | 'refused'>();
        const publishing = (async () => {
          for (let from = 0; from < all.length; from += 24)
            await Promise.all(
              all.slice(from, from + 24).map((message, index) =>
                rides.publish(message).then(
                  () => outcomes.set(from + index, 'written'),
                  (error: { readonly happened?: string }) =>
                    outcomes.set(from + index, error.happened === 'no' ? 'refused' : 'unknown'),
                ),
              ),
            );
        })();
        await ledger.all(1_000, 60_000);
        const leader = bed.kafka.broker(2);
        await leader.kill();
        await ledger.all(3_000, 120_000);
        await leader.restart();
        await publishing;
        const written = [...outcomes].filter(([, outcome]) => outcome === 'written').map(([number]) => number);
        await eventually(
          'all that was acknowledged is handled',
          () => written.every((number) => ledger.values.has(number)),
          {
            within: 60_000,
          },
        );
        for (const [number, outcome] of outcomes)
          if (outcome === 'refused') expect(ledger.values.has(number)).toBe(false);
        expect(consumer.stats().failures).toBe(0);
        const times = new Map<bigint, number>();
        // The log itself: what a consumer sees twice may have been handed over in between.
        const read: number[] = [];
        for await (const { value, offset } of rides.read()) {
          read.push(Number(value));
          times.set(offset, (times.get(offset) ?? 0) + 1);
        }
        expect(new Set(read).size).toBe(read.length);
        expect(written.length).toBeGreaterThan(5_000);
        await eventually('all brokers are in step', async () => (await bed.health()).status === 'pass', {
          within: 60_000,
        });
      },
      180_000,
    );
  });
}

/** While other connections are well: what goes on beside it is not disturbed. */
export function lostAnswersSuite(driver: DriverName): void {
  describe.concurrent(`by ${driver}`, () => {
    threeBrokers(
      'answers are lost again and again: every message is there once',
      async ({ bed }) => {
        await using place = await bench(bed.kafka.url, { driver, partitions: 3, replication: 3 });
        const linked = place.stream({ brokers: bed.kafka.brokersFor('shop'), requestTimeout: 2_000 });
        const rides = place.open(linked);
        let over = false;
        const cutting = (async () => {
          for (let round = 0; !over; round += 1) {
            const link = bed.link('shop', `kafka-${(round % 3) + 1}`);
            // Whatever is on its way is lost with its connection, requests and answers alike.
            await link.reset();
            await new Promise((resolve) => setTimeout(resolve, 40));
          }
        })();
        const outcomes: ('written' | 'unknown' | 'refused')[] = [];
        const count = 3_000;
        for (let from = 0; from < count; from += 30) {
          const some = numbered(count, 30).slice(from, from + 30);
          const results = await Promise.allSettled(some.map((message) => rides.publish(message)));
          for (const result of results)
            outcomes.push(
              result.status === 'fulfilled' ? 'written' : result.reason.happened === 'no' ? 'refused' : 'unknown',
            );
        }
        over = true;
        await cutting;
        const read: number[] = [];
        for await (const { value } of place.open().read()) read.push(Number(value));
        expect(new Set(read).size).toBe(read.length);
        const there = new Set(read);
        for (const [number, outcome] of outcomes.entries()) {
          if (outcome === 'written') expect(there.has(number)).toBe(true);
          if (outcome === 'refused') expect(there.has(number)).toBe(false);
        }
        expect(outcomes.filter((outcome) => outcome === 'written').length).toBeGreaterThan(count * 0.9);
      },
      120_000,
    );
  });
}
