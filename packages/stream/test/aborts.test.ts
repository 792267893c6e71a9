import { randomBytes } from 'node:crypto';
import { getEventListeners } from 'node:events';
import { eventually, seeded } from '@quorate/testbed';
import { sharedTest as test } from '@quorate/testbed/vitest';
import { expect } from 'vitest';
import { bench, numbered } from './fixture.ts';

const seed = Number(process.env.QUORATE_SEED ?? Math.floor(Math.random() * 1e6));

test('whatever is given up at a random moment has come to its end or gives the reason, and leaves nothing', async ({
  servers: { QUORATE_KAFKA },
}) => {
  const chance = seeded(seed);
  await using place = await bench(QUORATE_KAFKA, { partitions: 2 });
  const stream = place.stream();
  const rides = place.open(stream);
  await rides.publishMany(numbered(200));
  const name = `ask-${randomBytes(6).toString('hex')}`;
  await using _responder = await stream.responder(name, { group: 'answers', handler: (value) => value });
  const requester = stream.requester(name);
  const groups: string[] = [];
  const calls: Record<string, (signal: AbortSignal) => Promise<unknown>> = {
    create: (signal) => rides.create({ signal }),
    publish: (signal) => rides.publish({ key: 'a', value: 1 }, { signal }),
    publishMany: (signal) => rides.publishMany(numbered(50), { signal }),
    read: async (signal) => {
      for await (const _ of rides.read({ signal }));
    },
    consume: async (signal) => {
      const group = `aborted-${randomBytes(3).toString('hex')}`;
      groups.push(group);
      await (await rides.consume({ group, handler: () => {}, signal })).stop();
    },
    request: (signal) => requester.request(1, { signal }),
    topics: (signal) => stream.inspection().topics({ signal }),
    groups: (signal) => stream.inspection().groups({ signal }),
  };
  const reason = new Error('enough');
  const oneTime = async (what: string, call: (signal: AbortSignal) => Promise<unknown>): Promise<void> => {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(reason), chance.integer(0, 60));
    try {
      await call(controller.signal);
    } catch (error) {
      // A batch says of each message what became of it; of one that was on its way nobody knows.
      const told = (error as { readonly code?: string }).code;
      expect(error === reason || told === 'ambiguous' || told === 'partly-published', `${what}, seed ${seed}`).toBe(
        true,
      );
    }
    clearTimeout(timer);
    expect(getEventListeners(controller.signal, 'abort'), `${what}, seed ${seed}`).toEqual([]);
  };
  for (let round = 0; round < 8; round += 1)
    await Promise.all(Object.entries(calls).map(([what, call]) => oneTime(what, call)));
  expect(requester.stats().pending).toBe(0);
  const inspection = place.stream().inspection();
  await eventually('no member is left', async () => {
    const left = (await inspection.groups()).filter(({ group, partitions }) => {
      return groups.includes(group) && partitions.some(({ member }) => member !== undefined);
    });
    return left.length === 0;
  });
});
