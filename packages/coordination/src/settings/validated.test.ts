import type { StandardSchemaV1 } from '@standard-schema/spec';
import { expect, test } from 'vitest';
import { validated } from './validated.ts';

const refusing = (issues: StandardSchemaV1.FailureResult['issues']): StandardSchemaV1 => ({
  '~standard': { version: 1, vendor: 'test', validate: () => ({ issues }) },
});

test.each([
  [undefined, ''],
  [[], ''],
  [['a', 'b'], 'a.b'],
  [['a', 0, { key: 'b' }, { key: 1 }], 'a[0].b[1]'],
  [[2, 'a'], '[2].a'],
  [[Symbol('s')], 'Symbol(s)'],
])('the place of an issue is readable: %j', async (path, text) => {
  const issue = path === undefined ? { message: 'm' } : { message: 'm', path };
  await expect(validated('/s', 'new', refusing([issue]), 1)).rejects.toMatchObject({
    issues: [{ path: text, message: 'm' }],
  });
});

test('the message names node, place and expectation, and how much more there is', async () => {
  const issues = [{ message: 'expected a number', path: ['max'] }, { message: 'x' }, { message: 'y' }];
  await expect(validated('/s', 'stored', refusing(issues), 1)).rejects.toThrow(
    '/s: the stored value is not valid; repair it with set: max: expected a number (and 2 more)',
  );
  await expect(validated('/s', 'new', refusing([]), 1)).rejects.toThrow(/not stored: it is refused$/);
});
