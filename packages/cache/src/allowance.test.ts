import { eventually } from '@quorate/testbed';
import { describe, expect, test } from 'vitest';
import { Allowance } from './allowance.ts';

describe('an allowance', () => {
  test('gives what the work gives, or throws what it throws, at once or later', async () => {
    using allowance = new Allowance(10_000, 'not done');
    expect(await allowance.bound(() => 1)).toBe(1);
    expect(await allowance.bound(async () => 2)).toBe(2);
    await expect(allowance.bound(() => Promise.reject(new Error('later')))).rejects.toThrow('later');
    const now = (): never => {
      throw new Error('now');
    };
    await expect(allowance.bound(now)).rejects.toThrow('now');
  });

  test('leaves work that takes longer, and tells its signal, whenever that is asked for', async () => {
    using early = new Allowance(20, 'not done');
    early.start();
    const { signal } = early;
    await expect(early.bound(() => new Promise(() => {}))).rejects.toMatchObject({
      code: 'deadline-exceeded',
      message: 'not done within 20 ms',
    });
    expect(signal.aborted).toBe(true);
    using late = new Allowance(10_000, 'not done');
    late.abort(new Error('enough'));
    late.abort(new Error('too much'));
    expect(late.signal.reason).toMatchObject({ message: 'enough' });
    await expect(late.bound(() => 1)).rejects.toThrow('enough');
    expect(() => late.start()).toThrow('enough');
  });

  test('its time counts from its start; until then it can be ended all the same', async () => {
    using waits = new Allowance(1, 'not done');
    const waiting = waits.bound(() => new Promise(() => {}));
    const inner = waits.bound(() => new Promise(() => {}));
    const from = performance.now();
    await eventually('its time would be up', () => performance.now() - from > 20);
    expect(waits.signal.aborted).toBe(false);
    waits.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await expect(inner).rejects.toThrow('enough');
  });

  test('an error that came of the end is the end’s', async () => {
    using allowance = new Allowance(10_000, 'not done');
    const work = (): Promise<never> =>
      new Promise((_, reject) => allowance.signal.addEventListener('abort', () => reject(new Error('stopped'))));
    const bound = allowance.bound(work);
    allowance.abort(new Error('enough'));
    await expect(bound).rejects.toThrow('enough');
  });

  test('once disposed of it has no say any more', async () => {
    const allowance = new Allowance(10, 'not done');
    allowance.start();
    const { signal } = allowance;
    allowance[Symbol.dispose]();
    const from = performance.now();
    await eventually('its time would be up', () => performance.now() - from > 30);
    expect(signal.aborted).toBe(false);
  });
});
