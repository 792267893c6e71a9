import { setImmediate as turn } from 'node:timers/promises';
import { isQuorateError } from '@quorate/core';
import { expect, test } from 'vitest';
import type { Opened } from '../connection.ts';
import { Entry } from '../consuming/entry.ts';
import { MessageTooLargeError } from '../errors/message-too-large-error.ts';
import { RefusedError } from '../errors/refused-error.ts';
import type { Message } from '../topic/message.ts';
import { Exchange } from './exchange.ts';
import { Replies, type ResponderHandler } from './replies.ts';

const { signal } = new AbortController();
const place = { topic: 'quotes', partition: 0 };

/** A responder whose topic for replies has so many partitions, and turns out to have more when it is looked at again. */
function responder(
  handler: ResponderHandler<unknown, unknown, unknown>,
  publish: (kind: string, signal: AbortSignal) => Promise<void> = async () => {},
  { known = 6, fresh = 6 } = {},
) {
  const published: [kind: string, partition: number][] = [];
  const leaders = (count: number): number[] => Array.from({ length: count }, () => 1);
  const publisher = {
    publish: async (_: string, partition: number, { headers }: Entry['record'], until: AbortSignal) => {
      const kind = String(headers.find(([name]) => name === 'quorate-kind')?.[1]);
      await publish(kind, until);
      published.push([kind, partition]);
      return 0n;
    },
  };
  const layout = { of: async () => leaders(known), fresh: async () => leaders(fresh) };
  const replies = new Replies(new Exchange('quotes', {}), { publisher, layout } as unknown as Opened, handler);
  return { replies, published };
}

function headersTo(partition: number): Record<string, string> {
  return {
    'quorate-correlation': `a:${partition}`,
    'quorate-reply-to': String(partition),
    'quorate-deadline': String(Date.now() + 30_000),
  };
}

const request = (to = 0): Message => ({ value: 'x', headers: headersTo(to) }) as unknown as Message;

function record(to: number): Entry['record'] {
  const headers = Object.entries(headersTo(to)).map(([name, text]) => [name, Buffer.from(text)] as const);
  return { key: null, value: null, headers, timestamp: 1, offset: 1n };
}

test('progress that nobody waits for and nobody wants any more fails by itself', async () => {
  const told = Promise.withResolvers<void>();
  const { replies } = responder(
    async (_, { progress }) => {
      void progress('before');
      replies.cancel(record(0));
      void progress('after');
      void progress(1n);
      await turn();
      told.resolve();
    },
    async (_, wanted) => wanted.throwIfAborted(),
  );
  await replies.to(request(), { signal });
  await told.promise;
  await turn();
  expect(replies.counts).toMatchObject({ cancelled: 1 });
});

test('who has cancelled gets no reply, and no error either, whatever the handler makes of it', async () => {
  const told: unknown[] = [];
  for (const end of ['replies', 'fails']) {
    const { replies, published } = responder((_, context) => {
      replies.cancel(record(0));
      told.push(isQuorateError(context.signal.reason) && context.signal.reason.code);
      if (end === 'fails') throw new Error('cancelled');
      return 'done';
    });
    await replies.to(request(), { signal });
    expect([published, replies.counts]).toEqual([[], { replied: 0, failed: 0, cancelled: 1, expired: 0 }]);
  }
  expect(told).toEqual(['request-cancelled', 'request-cancelled']);
});

test('what nobody waits for any more is not begun: its time is up, or it was cancelled before', async () => {
  let runs = 0;
  const { replies, published } = responder(() => {
    runs += 1;
    return 'done';
  });
  const late = { value: 'x', headers: { ...headersTo(0), 'quorate-deadline': String(Date.now() - 1) } };
  await replies.to(late as unknown as Message, { signal });
  replies.cancel(record(1));
  await replies.to(request(1), { signal });
  expect([runs, published, replies.counts]).toEqual([0, [], { replied: 0, failed: 0, cancelled: 1, expired: 1 }]);
  await replies.to(request(2), { signal });
  expect([runs, published]).toEqual([1, [['reply', 2]]]);
});

test('a request that names a partition which is not there is nobody’s, also when it cannot be read', async () => {
  let runs = 0;
  const { replies, published } = responder(() => {
    runs += 1;
  });
  await replies.to(request(999_999), { signal });
  const entry = new Entry(record(999_999), 1);
  entry.dead = { reason: 'invalid-value', error: 'no' };
  await replies.add(place, entry, signal);
  expect([runs, published, replies.counts]).toEqual([0, [], { replied: 0, failed: 0, cancelled: 0, expired: 0 }]);
});

test('a partition that was added since is looked for', async () => {
  const { replies, published } = responder(() => 'done', undefined, { known: 6, fresh: 8 });
  await replies.to(request(7), { signal });
  expect(published).toEqual([['reply', 7]]);
});

test('what Kafka takes neither as a reply nor as an error is done with, and is told', async () => {
  let runs = 0;
  let refused = true;
  const handler = (): string => {
    runs += 1;
    return 'done';
  };
  const { replies, published } = responder(handler, async (kind) => {
    if (refused)
      throw kind === 'reply' ? new MessageTooLargeError('reply') : new RefusedError('reply', 'POLICY_VIOLATION');
  });
  await replies.to(request(), { signal });
  expect([runs, published]).toEqual([1, []]);
  expect(replies.trouble?.message).toContain('POLICY_VIOLATION');
  refused = false;
  await replies.to(request(), { signal });
  expect([runs, published]).toEqual([2, [['reply', 0]]]);
  expect(replies.trouble).toBe(undefined);
});

test('a request that was interrupted is not ended: another responder gets it', async () => {
  const { replies, published } = responder(async (_, context) => {
    interrupt.abort(new Error('its partition goes to somebody else'));
    context.signal.throwIfAborted();
  });
  const interrupt = new AbortController();
  await expect(replies.to(request(), { signal: interrupt.signal })).rejects.toThrow('somebody else');
  expect([published, replies.counts]).toEqual([[], { replied: 0, failed: 0, cancelled: 0, expired: 0 }]);
});

test('a correlation that no requester makes, because it is too long, is nobody’s', async () => {
  const { replies, published } = responder(() => 'done');
  for (const length of [200, 201]) {
    const headers = { ...headersTo(0), 'quorate-correlation': 'x'.repeat(length) };
    await replies.to({ value: 'x', headers } as unknown as Message, { signal });
  }
  expect([published, replies.counts.replied]).toEqual([[['reply', 0]], 1]);
});
