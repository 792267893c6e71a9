import { afterEach, expect, test, vi } from 'vitest';
import { op } from '../protocol/op-codes.ts';
import { type Ask, ServerVersion } from './server-version.ts';

const watch = { operation: 'watch', path: '/a', code: op.addWatch };
const ask = vi.fn<Ask>();
afterEach(() => {
  vi.restoreAllMocks();
  ask.mockReset();
});

function version(): ServerVersion {
  return new ServerVersion('zk1:2181', { ask, timeout: 5_000, known: undefined });
}

test('those who want to know it at once ask once', async () => {
  ask.mockResolvedValue(
    'Zookeeper version: 3.6.4--d65253dcf68e9097c6e95a126463fd5fdeb4521c, built on 12/18/2022\nMode: leader\n',
  );
  const server = version();
  await Promise.all([server.learn(), server.learn()]);
  expect(ask).toHaveBeenCalledTimes(1);
  expect(server.isAsked).toBe(true);
  expect(server.refusal(watch)).toBeUndefined();
  expect(server.refusal({ operation: 'whoAmI', code: op.whoAmI })?.message).toBe(
    'whoAmI is not supported: it takes ZooKeeper 3.7, and zk1:2181 is 3.6.4',
  );
  expect(server.refusal({ operation: 'get', path: '/a', code: op.get })).toBeUndefined();
});

test.each([
  'srvr is not executed because it is not in the whitelist.\n',
  'This ZooKeeper instance is not currently serving requests\n',
])('an answer without a version is not asked for twice, and counts for a minute: %s', async (answer) => {
  ask.mockResolvedValue(answer);
  const server = version();
  await server.learn();
  expect(ask).toHaveBeenCalledTimes(1);
  expect(server.refusal(watch)?.message).toContain(`does not say its version (${answer.trim()})`);
  const now = performance.now();
  vi.spyOn(performance, 'now').mockReturnValue(now + 59_000);
  expect(server.isAsked).toBe(true);
  vi.spyOn(performance, 'now').mockReturnValue(now + 61_000);
  expect(server.isAsked).toBe(false);
  ask.mockResolvedValue('Zookeeper version: 3.10.0\n');
  await server.learn();
  expect(server.refusal(watch)).toBeUndefined();
});

test('no answer is none: the error may be tried again, and soon it is asked anew', async () => {
  ask.mockRejectedValue(new Error('read ECONNRESET'));
  const server = version();
  await server.learn();
  expect(server.refusal(watch)).toMatchObject({ code: 'unsupported', happened: 'no', retryable: true });
  const now = performance.now();
  vi.spyOn(performance, 'now').mockReturnValue(now + 2_000);
  expect(server.isAsked).toBe(false);
  ask.mockResolvedValue('srvr is not executed because it is not in the whitelist.\n');
  await server.learn();
  expect(server.refusal(watch)).toMatchObject({ code: 'unsupported', retryable: false });
});

test('the end of the connection ends the question, and nothing comes of it', async () => {
  const asked = Promise.withResolvers<AbortSignal>();
  ask.mockImplementation((signal) => {
    asked.resolve(signal);
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
  });
  const server = version();
  const learnt = vi.fn();
  void server.learn().then(learnt);
  const signal = await asked.promise;
  server.end();
  expect(signal.aborted).toBe(true);
  await new Promise((resolve) => setImmediate(resolve));
  expect(learnt).not.toHaveBeenCalled();
  expect(server.isAsked).toBe(false);
  expect(ask).toHaveBeenCalledTimes(1);
});
