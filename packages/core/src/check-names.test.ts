import { expect, test } from 'vitest';
import { checkNames } from './check-names.ts';

test('what is known passes, all of it or some', () => {
  checkNames('options', { ttl: 1, stale: undefined }, ['ttl', 'stale']);
  checkNames('options', {}, ['ttl']);
  checkNames('options', Object.create(null), ['ttl']);
});

test('a name that is not known is refused, with those that are', () => {
  expect(() => checkNames('options', { ttl: 1, tll: 'hunter2' }, ['ttl', 'stale'])).toThrow(
    expect.objectContaining({ message: 'options.tll: expected one of ttl, stale', argument: 'options.tll' }),
  );
});

test.each([[undefined], [null], [5], ['ttl'], [['ttl']], [() => 1]])('%o is no object', (value) => {
  expect(() => checkNames('options', value, ['ttl'])).toThrow(/^options: expected an object with ttl, got /);
});
