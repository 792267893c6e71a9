import { randomBytes } from 'node:crypto';
import { eventually, seeded } from '@quorate/testbed';
import { sharedTest as test } from '@quorate/testbed/vitest';
import { describe, expect } from 'vitest';
import { bench, drivers, Ledger, numbered } from './fixture.ts';
import { type Handled, Member } from './member.ts';

const seed = Number(process.env.QUORATE_SEED ?? Math.floor(Math.random() * 1e6));

/** What all members have handled, in the order in which it was heard. */
function listen(keys: number): { readonly ledger: Ledger; readonly hear: (by: string) => (handled: Handled) => void } {
  const ledger = new Ledger(keys);
  return {
    ledger,
    hear: (by) => (handled) => ledger.note({ ...handled, offset: 0n } as never, by),
  };
}

describe.each(drivers)('by %s', (driver) => {
  test('a consumer that is killed in the middle of its work loses nothing: what it had not committed is done again, in order', async ({
    servers: { QUORATE_KAFKA },
  }) => {
    await using place = await bench(QUORATE_KAFKA, { driver, partitions: 3 });
    const chance = seeded(seed).fork(driver);
    const count = 5_000;
    await place.open().publishMany(numbered(count, 20));
    const { ledger, hear } = listen(20);
    const group = `killed-${randomBytes(3).toString('hex')}`;
    const plan = { brokers: QUORATE_KAFKA as string, driver, topic: place.topic, group, sessionTimeout: 2_000 };
    await using stack = new AsyncDisposableStack();
    let member = stack.use(await Member.start(plan, hear('0')));
    for (let round = 1; round <= 4; round += 1) {
      const until = Math.min(count, ledger.values.size + chance.integer(300, 800));
      await eventually('it has worked', () => ledger.values.size >= until, { within: 60_000 });
      member.kill();
      member = stack.use(await Member.start(plan, hear(String(round))));
    }
    await ledger.all(count, 60_000);
    expect(ledger.disorder, `seed ${seed}`).toEqual([]);
    await member.leave();
  });

  test('a consumer that stands still past its session is replaced, and when it goes on it neither moves offsets nor keeps its partitions', async ({
    servers: { QUORATE_KAFKA },
  }) => {
    await using place = await bench(QUORATE_KAFKA, { driver, partitions: 2 });
    const count = 4_000;
    const { ledger, hear } = listen(10);
    const group = `still-${randomBytes(3).toString('hex')}`;
    const plan = {
      brokers: QUORATE_KAFKA as string,
      driver,
      topic: place.topic,
      group,
      sessionTimeout: 2_000,
      workMs: 10,
    };
    await using first = await Member.start(plan, hear('first'));
    const rides = place.open();
    await rides.publishMany(numbered(count / 2));
    await eventually('it works', () => first.handled.length > 200);
    first.kill('SIGSTOP');
    await using second = await Member.start(plan, hear('second'));
    await eventually('the second has taken over', () => second.handled.length > 200, { within: 60_000 });
    const position = async (): Promise<bigint> => {
      const [report] = await place.stream().inspection().groups({ group });
      return report?.partitions.reduce((sum, { committed }) => sum + (committed ?? 0n), 0n) ?? 0n;
    };
    const before = await position();
    first.kill('SIGCONT');
    await rides.publishMany(numbered(count).slice(count / 2));
    await ledger.all(count, 60_000);
    expect(ledger.disorder).toEqual([]);
    await eventually('all is committed', async () => (await position()) === BigInt(count));
    expect(before).toBeLessThanOrEqual(BigInt(count));
    await eventually('both have a part', async () => {
      const [report] = await place.stream().inspection().groups({ group });
      return new Set(report?.partitions.map(({ member }) => member)).size >= 1 && report?.state === 'Stable';
    });
    await first.leave();
    await second.leave();
  });

  test('members that come and go all the time: every message is handled, in order, and by nobody while another is at its key', async ({
    servers: { QUORATE_KAFKA },
  }) => {
    await using place = await bench(QUORATE_KAFKA, { driver, partitions: 4 });
    const rides = place.open();
    const ledger = new Ledger(16);
    const running = new Map<string, string>();
    const overlaps: string[] = [];
    const count = 6_000;
    const consume = (by: string) =>
      place.open().consume({
        group: 'restless',
        sessionTimeout: 2_000,
        handler: async (message) => {
          const key = String(message.key);
          const other = running.get(key);
          if (other !== undefined) overlaps.push(`${by} while ${other}: ${key}`);
          running.set(key, by);
          await new Promise((resolve) => setTimeout(resolve, 1));
          running.delete(key);
          ledger.note(message, by);
        },
      });
    await using _steady = await consume('steady');
    const publishing = (async () => {
      const all = numbered(count, 16);
      for (let from = 0; from < count; from += 100) {
        await rides.publishMany(all.slice(from, from + 100));
        await eventually('it is not too far ahead', () => ledger.values.size > from - 400, { within: 60_000 });
      }
    })();
    for (let turn = 0; turn < 5; turn += 1) {
      const before = ledger.values.size;
      const guest = await consume(`guest ${turn}`);
      await eventually('it has worked', () => ledger.values.size > Math.min(before + 300, count - 1), {
        within: 60_000,
      });
      await guest.stop();
    }
    await publishing;
    await ledger.all(count, 60_000);
    expect(overlaps).toEqual([]);
    expect(ledger.disorder).toEqual([]);
    expect(ledger.entries).toHaveLength(count);
  });

  test('100,000 messages are accounted for by id', async ({ servers: { QUORATE_KAFKA } }) => {
    await using place = await bench(QUORATE_KAFKA, { driver, partitions: 6 });
    const rides = place.open();
    const ids = new Set<string>();
    let twice = 0;
    await using consumer = await rides.consume({
      group: 'accounts',
      concurrency: 200,
      handler: ({ id }) => {
        if (ids.has(id as string)) twice += 1;
        ids.add(id as string);
      },
    });
    const all = numbered(100_000, 1_000);
    for (let from = 0; from < all.length; from += 10_000) await rides.publishMany(all.slice(from, from + 10_000));
    await eventually('all are handled', () => ids.size === 100_000, { within: 60_000 });
    await eventually('nothing is behind', () => consumer.lag().messages === 0n);
    expect(twice).toBe(0);
  });
});
