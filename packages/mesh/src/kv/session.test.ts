import { expect, onTestFinished, test, vi } from 'vitest';
import type { Agent, Ask } from '../agent/agent.ts';
import { Session } from './session.ts';

/** An agent that takes so many milliseconds for each answer, one after the other, and then gives none. */
function slow(...delays: readonly number[]): Agent {
  const left = [...delays];
  const ask = ({ timeout }: Ask): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const delay = left.shift();
      if (delay === undefined) setTimeout(reject, timeout, new Error('no answer'));
      else setTimeout(resolve, delay, { body: { ID: 'a session' } });
    });
  return { ask } as unknown as Agent;
}

// The servers count from when they heard it, which is after it was asked and before it was answered.
test.each<[what: string, delays: readonly number[], lost: number]>([
  ['its creation', [4_000], 12_000],
  ['a renewal', [0, 3_000], 4_000 + 12_000],
])('a session is lost one TTL after %s was asked for, however late the answer', async (_, delays, lost) => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const creating = Session.create(slow(...delays), { ttl: '12s' });
  await vi.advanceTimersByTimeAsync(lost - 1);
  const session = await creating;
  expect(session.lost.aborted).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(session.lost.reason).toMatchObject({ code: 'session-lost', message: expect.stringContaining('12000 ms') });
});
