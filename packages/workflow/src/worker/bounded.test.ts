import { ApplicationFailure } from '@temporalio/common';
import { expect, test } from 'vitest';
import { bounded } from './bounded.ts';

/** All that would be sent of it. */
function sizeOf(error: unknown): number {
  if (!(error instanceof Error)) return JSON.stringify(error).length;
  const { message, stack = '', cause } = error;
  const { type = '', details = [] } = error as ApplicationFailure;
  return message.length + stack.length + (type?.length ?? 0) + JSON.stringify(details).length + sizeOf(cause ?? '');
}

const huge = 'x'.repeat(3_000_000);
const circle: unknown[] = [];
circle.push(circle);
const behind = new Error('y', { cause: new Error(huge) });
const itself = new Error('its own cause');
itself.cause = itself;

test.each([
  ['a message, which is in the stack as well', new Error(huge)],
  ['a cause behind a cause', new Error('x', { cause: behind })],
  ['a cause that is no error', new Error('x', { cause: huge })],
  ['details', ApplicationFailure.create({ message: 'x', details: [huge] })],
  ['details that are a circle', ApplicationFailure.create({ message: 'x', details: [circle] })],
  ['a type', ApplicationFailure.create({ message: 'x', type: huge })],
  ['text', huge],
  ['an object', { huge }],
  ['an error that can not be changed', Object.freeze(new Error(huge))],
  ['an error that is its own cause', itself],
])('%s: it can be sent', (_what, error) => {
  expect(sizeOf(bounded(error))).toBeLessThan(500_000);
});

test('what is small is as it was, and a failure says what it said', () => {
  const small = new Error('small', { cause: new Error('why') });
  expect(bounded(small)).toBe(small);
  const failure = ApplicationFailure.create({
    message: huge,
    type: 'declined',
    nonRetryable: true,
    details: [{ happened: 'no' }],
    cause: new Error('why'),
  });
  expect(bounded(failure)).toMatchObject({
    type: 'declined',
    nonRetryable: true,
    details: [{ happened: 'no' }],
    cause: { message: 'why' },
  });
});
