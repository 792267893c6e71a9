import { randomBytes } from 'node:crypto';
import { DeadlineExceededError } from '@quorate/core';
import { eventually } from '@quorate/testbed';
import { sharedTest as test } from '@quorate/testbed/vitest';
import { describe, expect } from 'vitest';
import { type DriverName, type Requester, type Responder, Stream } from '../../src/index.ts';

/** Requesters and responders under a name of their own. */
function exchange(brokers: string | undefined, driver: DriverName) {
  const name = `ask-${randomBytes(6).toString('hex')}`;
  const stack = new AsyncDisposableStack();
  const stream = (): Stream => stack.use(new Stream({ brokers: brokers ?? '', driver }));
  return {
    requester: (): Requester => stream().requester(name),
    responder: (handler: Parameters<Stream['responder']>[1]['handler'], concurrency = 10): Promise<Responder> =>
      stream().responder(name, { group: 'answers', concurrency, handler }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const untilAborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

/** What is promised of requests and replies; by one client library, for the other takes as long again. */
export function requestsSuite(driver: DriverName): void {
  describe(`by ${driver}`, () => {
    test('a request gets its reply, also when thousands are under way', async ({ servers: { QUORATE_KAFKA } }) => {
      await using place = exchange(QUORATE_KAFKA, driver);
      await using responder = await place.responder((value) => Number(value) * 2, 1_000);
      const requester = place.requester();
      expect(await requester.request(21)).toBe(42);
      const all = Array.from({ length: 10_000 }, (_, number) => number);
      const replies = await Promise.all(all.map((number) => requester.request(number)));
      expect(replies).toEqual(all.map((number) => number * 2));
      // A responder that the group took for dead is asked to answer again, and what it says then comes late.
      expect(requester.stats()).toMatchObject({ pending: 0, sent: 10_001, replied: 10_001, failed: 0 });
      // A requester may hear of a reply before the responder hears that it was written.
      await eventually('all are counted', () => responder.stats().replied === 10_001);
    });

    test('progress comes in order, and before the reply', async ({ servers: { QUORATE_KAFKA } }) => {
      await using place = exchange(QUORATE_KAFKA, driver);
      await using _responder = await place.responder((value, { progress }) => {
        for (let step = 1; step <= 5; step += 1) void progress(`${value}: ${step} of 5`);
        return 'done';
      });
      const requester = place.requester();
      const told: unknown[] = [];
      expect(await requester.request('ingest', { onProgress: (one) => told.push(one) })).toBe('done');
      expect(told).toEqual([1, 2, 3, 4, 5].map((step) => `ingest: ${step} of 5`));
    });

    test('requesters share the topic for replies and hear nothing of one another', async ({
      servers: { QUORATE_KAFKA },
    }) => {
      await using place = exchange(QUORATE_KAFKA, driver);
      await using _responder = await place.responder((value) => value);
      const requesters = Array.from({ length: 8 }, () => place.requester());
      const replies = await Promise.all(
        requesters.flatMap((requester, who) =>
          Array.from({ length: 50 }, (_, number) =>
            requester.request({ who, number }).then((reply) => ({ reply, who, number })),
          ),
        ),
      );
      for (const { reply, who, number } of replies) expect(reply).toEqual({ who, number });
      for (const requester of requesters) expect(requester.stats()).toMatchObject({ pending: 0, replied: 50, late: 0 });
    });

    test('who gives up is not kept waiting, and the responder is told', async ({ servers: { QUORATE_KAFKA } }) => {
      await using place = exchange(QUORATE_KAFKA, driver);
      const reasons: unknown[] = [];
      let begun = 0;
      await using responder = await place.responder(async (_, { signal }) => {
        begun += 1;
        await untilAborted(signal).catch((reason: unknown) => {
          reasons.push(reason);
          throw reason;
        });
      });
      const requester = place.requester();
      const controller = new AbortController();
      const asked = requester.request('a', { signal: controller.signal });
      await eventually('it is being done', () => begun === 1);
      const why = new Error('the browser is gone');
      controller.abort(why);
      await expect(asked).rejects.toBe(why);
      await expect(requester.request('b', { timeout: 500 })).rejects.toThrow(DeadlineExceededError);
      await eventually('the responder was told of both', () => reasons.length === 2);
      expect(reasons).toEqual([
        expect.objectContaining({ code: 'request-cancelled' }),
        expect.objectContaining({ code: 'request-cancelled' }),
      ]);
      await eventually('both are counted', () => responder.stats().cancelled === 2);
      expect(requester.stats()).toMatchObject({ pending: 0, replied: 0 });
      const last = requester.request('c').catch((error: unknown) => error);
      await eventually('it is being done', () => begun === 3);
      await requester.stop();
      expect(await last).toMatchObject({ code: 'stream-closed' });
      await eventually('the responder was told that the requester has stopped', () => reasons.length === 3);
    });

    test('a responder that stops finishes what it has begun; what it has not begun goes to another', async ({
      servers: { QUORATE_KAFKA },
    }) => {
      await using place = exchange(QUORATE_KAFKA, driver);
      let gate: PromiseWithResolvers<void> | undefined = Promise.withResolvers();
      const first = await place.responder(async (value) => {
        await gate?.promise;
        return `first: ${value}`;
      }, 1);
      const requester = place.requester();
      const asked = Array.from({ length: 20 }, (_, number) => requester.request(number));
      await eventually('it has some of them', () => first.consumer.buffered.messages > 1);
      const stopping = first.stop();
      const starting = place.responder((value) => `second: ${value}`);
      gate.resolve();
      gate = undefined;
      await stopping;
      await using second = await starting;
      const replies = (await Promise.all(asked)).map(String);
      expect(replies.map((reply) => Number(reply.split(': ')[1]))).toEqual(
        Array.from({ length: 20 }, (_, number) => number),
      );
      expect(replies.filter((reply) => reply.startsWith('first')).length).toBe(1);
      // A requester may hear of a reply before the responder hears that it was written.
      await eventually('all are counted', () => second.stats().replied === 19);
    });
  });
}
