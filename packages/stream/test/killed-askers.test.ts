import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { eventually } from '@quorate/testbed';
import { sharedTest as test } from '@quorate/testbed/vitest';
import { expect } from 'vitest';
import { Stream } from '../src/index.ts';

const program = fileURLToPath(new URL('asker-process.ts', import.meta.url));

/** Resolves when it has begun. It is killed at the latest at the end of the block. */
async function launch(role: 'requester' | 'responder', about: object): Promise<ChildProcess & AsyncDisposable> {
  const child = spawn(process.execPath, ['--conditions=@quorate/source', program, role], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, NODE_NO_WARNINGS: '1', QUORATE_ASKER: JSON.stringify(about) },
  });
  const exit = once(child, 'exit');
  if (child.stdout) await Promise.race([once(child.stdout, 'data'), exit]);
  return Object.assign(child, {
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await exit;
    },
  });
}

const unique = (): string => `ask-${randomBytes(6).toString('hex')}`;

test('when a responder is killed its requests go to another one, and each gets one reply', async ({
  servers: { QUORATE_KAFKA },
}) => {
  const name = unique();
  await using stream = new Stream({ brokers: QUORATE_KAFKA ?? '' });
  const requester = stream.requester(name);
  await using killed = await launch('responder', { brokers: QUORATE_KAFKA, name });
  const numbers = Array.from({ length: 400 }, (_, number) => number);
  const asked = numbers.map((number) => requester.request(number, { timeout: '60s' }));
  await eventually('it has replied to some', () => requester.stats().replied > 20);
  killed.kill('SIGKILL');
  await using _second = await stream.responder(name, { group: 'answers', handler: (value) => `second: ${value}` });
  const replies = (await Promise.all(asked)).map((reply) => String(reply).split(': '));
  expect(replies.map(([, number]) => Number(number))).toEqual(numbers);
  expect(new Set(replies.map(([who]) => who))).toEqual(new Set(['killed', 'second']));
  expect(requester.stats()).toMatchObject({ pending: 0, sent: 400, replied: 400, failed: 0 });
});

test('when a requester is killed what it asked is done with, others get their own replies, and nothing is left', async ({
  servers: { QUORATE_KAFKA },
}) => {
  const name = unique();
  await using stream = new Stream({ brokers: QUORATE_KAFKA ?? '' });
  const heard = new Set<unknown>();
  const gate = Promise.withResolvers<void>();
  await using responder = await stream.responder(name, {
    group: 'answers',
    handler: async (value) => {
      heard.add(value);
      await gate.promise;
      return value;
    },
  });
  await using killed = await launch('requester', { brokers: QUORATE_KAFKA, name, count: 50 });
  await eventually('some of it is under way', () => heard.size > 0);
  killed.kill('SIGKILL');
  const requester = stream.requester(name);
  const numbers = Array.from({ length: 50 }, (_, number) => number);
  const asked = numbers.map((number) => requester.request(number));
  gate.resolve();
  expect(await Promise.all(asked)).toEqual(numbers);
  expect(requester.stats()).toMatchObject({ pending: 0, replied: 50, late: 0 });
  await eventually('all that has come is done with', () => responder.consumer.buffered.messages === 0);
  await eventually('and committed', () => responder.consumer.lag().messages === 0n);
  expect(responder.stats().failed).toBe(0);
});
