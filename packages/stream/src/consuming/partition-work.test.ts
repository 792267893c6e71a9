import { afterEach, expect, test, vi } from 'vitest';
import { Hands } from './hands.ts';
import type { Lane } from './lane.ts';
import { PartitionWork } from './partition-work.ts';

const days = 86_400_000;

afterEach(() => void vi.useRealTimers());

/** Begins one message, which is to be tried again after so long. */
function putOff(delay: number): { readonly attempts: () => number; readonly work: PartitionWork } {
  let attempts = 0;
  const hands: Hands<Lane<PartitionWork>> = new Hands(1, (lane) => {
    const entry = lane.work.begin(lane);
    attempts += 1;
    if (entry) lane.work.settle(lane, entry, { retryIn: delay });
    return undefined;
  });
  const work = new PartitionWork({ topic: 't', partition: 0, offset: 0n, missed: 0n }, hands);
  work.take([{ key: null, value: null, headers: [], timestamp: 0, offset: 0n }], 1n, 1n);
  return { attempts: () => attempts, work };
}

test('a message is tried again after its delay, also after one that is longer than a timer can be', () => {
  vi.useFakeTimers();
  for (const delay of [1_000, 30 * days, 60 * days]) {
    const { attempts, work } = putOff(delay);
    vi.advanceTimersByTime(10);
    expect(attempts()).toBe(1);
    vi.advanceTimersByTime(delay - 11);
    expect(attempts()).toBe(1);
    vi.advanceTimersByTime(1);
    expect(attempts()).toBe(2);
    work.close();
    expect(vi.getTimerCount()).toBe(0);
  }
});
