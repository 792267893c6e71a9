import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { progressDisplay } from './progress-display.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function screen(isTTY: boolean): { stream: NodeJS.WriteStream; text: () => string } {
  let text = '';
  return { stream: { isTTY, write: (more: string) => (text += more) } as never, text: () => text };
}

test('on a terminal a step of more than a second gets a bar that moves, and a line when it is done', () => {
  const { stream, text } = screen(true);
  using display = progressDisplay(stream);
  display.onProgress({ name: 'consul 1.22.3', step: 'building with Go', done: 0, total: 1_000 });
  vi.advanceTimersByTime(900);
  expect(text()).toBe('');
  display.onProgress({ name: 'consul 1.22.3', step: 'building with Go', done: 500, total: 1_000 });
  vi.advanceTimersByTime(2_000);
  expect(text()).toContain('consul 1.22.3      building with Go ██████████░░░░░░░░░░ 500 of 1000, ');
  expect(text()).toContain('\x1b[1A\x1b[J');
  display.onProgress({ name: 'consul 1.22.3', step: 'done', finished: true });
  expect(text()).toMatch(/consul 1\.22\.3 is here, after 3 s\n$/);
});

test('elsewhere it is a line now and then', () => {
  const { stream, text } = screen(false);
  using display = progressDisplay(stream);
  display.onProgress({ name: 'java 25', step: 'downloading', done: 10_000_000, total: 40_000_000 });
  vi.advanceTimersByTime(59_000);
  expect(text().trim().split('\n')).toEqual([
    expect.stringContaining('java 25            downloading █████░░░░░░░░░░░░░░░ 10 of 40 MB, 1 s'),
    expect.stringContaining('10 of 40 MB, 31 s'),
  ]);
});

test('what is done within a second is not worth a line', () => {
  const { stream, text } = screen(true);
  using display = progressDisplay(stream);
  display.onProgress({ name: 'redis 6', step: 'unpacking' });
  vi.advanceTimersByTime(500);
  display.onProgress({ name: 'redis 6', step: 'done', finished: true });
  expect(text()).toBe('');
});
