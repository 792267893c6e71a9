import { randomBytes } from 'node:crypto';
import { sharedTest as test } from '@quorate/testbed/vitest';
import { expect } from 'vitest';
import { InvalidReplyError, ResponderFailedError, Stream } from '../src/index.ts';

test('what the handler throws is told, and what is no request or no reply is refused', async ({
  servers: { QUORATE_KAFKA },
}) => {
  await using stream = new Stream({ brokers: QUORATE_KAFKA ?? '' });
  const name = `ask-${randomBytes(6).toString('hex')}`;
  const number = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value: unknown) =>
        typeof value === 'number' ? { value } : { issues: [{ message: 'a number was expected' }] },
    },
  } as const;
  let handled = 0;
  await using _responder = await stream.responder(name, {
    request: number,
    group: 'answers',
    handler: (value): unknown => {
      handled += 1;
      if (value === 1) throw new Error('the meter is broken');
      return value === 2 ? 'two' : value;
    },
  });
  const requester = stream.requester(name, { reply: number });
  const careful = stream.requester(name, { request: number, reply: number });
  await expect(requester.request(1)).rejects.toThrow(ResponderFailedError);
  await expect(requester.request(1)).rejects.toThrow(`${name}: the responder failed: the meter is broken`);
  await expect(requester.request(2)).rejects.toThrow(InvalidReplyError);
  expect(await careful.request(3)).toBe(3);
  const before = handled;
  await expect(careful.request('x' as never)).rejects.toThrow('a number was expected; nothing was sent');
  await expect(requester.request('x')).rejects.toMatchObject({ code: 'responder-failed', reason: 'invalid-message' });
  expect(handled).toBe(before);
  // @ts-expect-error misspelt
  expect(() => stream.requester(name, { replies: number })).toThrow('options.replies');
});
