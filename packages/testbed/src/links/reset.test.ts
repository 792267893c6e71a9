import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { reset } from './reset.ts';

/** Both ends of a connection, and what goes wrong with the first. */
async function pair(): Promise<{ near: Socket; far: Socket; errors: unknown[] }> {
  const server = createServer({ allowHalfOpen: true });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  const errors: unknown[] = [];
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', (error) => errors.push(error));
  const [[far]] = (await Promise.all([once(server, 'connection'), once(near, 'connect')])) as unknown as [[Socket]];
  return { near, far: far.resume(), errors };
}

const turns: [string, (then: () => void) => void][] = [
  ['at once', (then) => then()],
  ['in the same turn of the loop', queueMicrotask],
  ['a turn later', setImmediate],
];

test.each(turns)('a socket that was ended and is reset %s is closed, without an error', async (_, later) => {
  const { near, errors } = await pair();
  const closed = once(near, 'close');
  near.end();
  later(() => reset(near));
  await closed;
  expect(errors).toEqual([]);
});

test('the other end is told of a reset, whatever was still to be sent', async () => {
  const { near, far } = await pair();
  far.pause();
  near.write(Buffer.alloc(20_000_000));
  near.end();
  const failed = once(far, 'error');
  reset(near);
  far.resume();
  expect((await failed)[0]).toMatchObject({ code: 'ECONNRESET' });
});
