import { expect, test } from 'vitest';
import { History } from './history.ts';

function isLoadedAsItWas(input: unknown): void {
  const history = new History();
  history.invoke('a', 'write', input).ok(input);
  expect(History.fromJsonLines(history.toJsonLines()).events).toEqual(history.events);
}

test.each([1, 1n, Number.NaN, 'x'])('what is recorded at the greatest depth is loaded again: %s', (leaf) => {
  const nested = (levels: number, within: (inner: unknown) => unknown): unknown =>
    levels === 0 ? leaf : within(nested(levels - 1, within));
  for (const within of [(inner: unknown) => ({ in: inner }), (inner: unknown) => [inner]]) {
    isLoadedAsItWas(nested(16, within));
    expect(() => isLoadedAsItWas(nested(17, within))).toThrow('data at most 16 levels deep');
  }
});

test('a bigint that could not be loaded again is refused when it is recorded', () => {
  for (const sign of [1n, -1n]) {
    isLoadedAsItWas({ token: sign * (10n ** 1_000n - 1n) });
    const large = sign * 10n ** 1_000n;
    const history = new History();
    const message = 'token: expected a bigint of at most 1,000 digits';
    expect(() => history.invoke('a', 'write', { token: large })).toThrow(`input.${message}`);
    expect(() => history.held('a', 'leader', large)).toThrow(message);
    expect(() => history.released('a', 'leader', large)).toThrow(message);
    expect(history.events).toEqual([]);
  }
});

test('a value that is recorded is not too long to be loaded', () => isLoadedAsItWas({ value: 'x'.repeat(1_000_000) }));

test('odd names and values come back', () => {
  isLoadedAsItWas({
    ['__proto__']: 1,
    $x: 2,
    $$y: 3,
    $bigint: '5',
    '': -0,
    n: Number.NaN,
    u: '\ud800',
    l: [undefined, -0, [[]]],
  });
});
