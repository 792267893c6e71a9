import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Breaker, Open } from './breaker.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance', 'Date'] }));
afterEach(() => void vi.useRealTimers());

const well = async (): Promise<string> => 'well';
const fail = (message: string) => (): Promise<never> => Promise.reject(new Error(message));
const isIll = (error: unknown): boolean => (error as Error).message === 'ill';

describe('a breaker', () => {
  test('opens after so many failures in a row; what is no failure does not count, and breaks no row', async () => {
    const breaker = new Breaker(2, 1_000, isIll);
    for (const message of ['ill', 'bad question', 'bad question']) {
      await expect(breaker.call(fail(message))).rejects.toThrow(message);
    }
    await expect(breaker.call(well)).resolves.toBe('well');
    await expect(breaker.call(fail('ill'))).rejects.toThrow('ill');
    await expect(breaker.call(fail('bad question'))).rejects.toThrow('bad question');
    expect(breaker.open).toBe(false);
    await expect(breaker.call(fail('ill'))).rejects.toThrow('ill');
    expect(breaker.open).toBe(true);
    await expect(breaker.call(well)).rejects.toBeInstanceOf(Open);
    expect(breaker.lastFailure).toMatchObject({ message: 'ill' });
  });

  test('lets one through after its pause, whatever the wall clock says, and waits again when that fails', async () => {
    const breaker = new Breaker(1, 1_000, isIll);
    await breaker.call(fail('ill')).catch(() => {});
    vi.setSystemTime(Date.now() - 365 * 86_400_000);
    vi.advanceTimersByTime(999);
    await expect(breaker.call(well)).rejects.toBeInstanceOf(Open);
    vi.advanceTimersByTime(1);
    const trial = breaker.call(fail('ill'));
    await expect(breaker.call(well)).rejects.toBeInstanceOf(Open);
    await expect(trial).rejects.toThrow('ill');
    await expect(breaker.call(well)).rejects.toBeInstanceOf(Open);
    vi.advanceTimersByTime(1_000);
    await expect(breaker.call(well)).resolves.toBe('well');
    await expect(breaker.call(well)).resolves.toBe('well');
    expect(breaker.open).toBe(false);
  });

  test('what began before it opened neither closes it nor makes it wait for longer', async () => {
    const breaker = new Breaker(1, 1_000, isIll);
    const [first, second] = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
    const early = [breaker.call(() => first.promise), breaker.call(() => second.promise)];
    await breaker.call(fail('ill')).catch(() => {});
    vi.advanceTimersByTime(900);
    first.resolve('late');
    second.reject(new Error('ill'));
    await Promise.allSettled(early);
    await expect(breaker.call(well)).rejects.toBeInstanceOf(Open);
    vi.advanceTimersByTime(100);
    await expect(breaker.call(well)).resolves.toBe('well');
  });

  test('never opens when it may not', async () => {
    const breaker = new Breaker(Infinity, 1_000, isIll);
    for (let i = 0; i < 100; i += 1) await breaker.call(fail('ill')).catch(() => {});
    await expect(breaker.call(well)).resolves.toBe('well');
  });
});
