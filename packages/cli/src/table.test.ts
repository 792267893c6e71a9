import { expect, test } from 'vitest';
import { table } from './table.ts';

test('columns line up and lines end without spaces', () => {
  expect(
    table([
      ['A', 'LONGER', ''],
      ['value', 'x', ''],
    ]),
  ).toBe('A      LONGER\nvalue  x');
});
