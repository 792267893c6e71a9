import { expect, test } from 'vitest';
import { markOf, otherKind } from './used-for.ts';

test.each(['', '127.0.0.1', 'fe80::1', markOf('queue')])('%j may be a queue', (text) => {
  expect(otherKind('queue', Buffer.from(text))).toBeUndefined();
});

test('the data of another kind is named when it is ours, and not shown when it is not', () => {
  expect(otherKind('queue', Buffer.from(markOf('double-barrier')))).toBe('a double-barrier');
  expect(otherKind('barrier', Buffer.from('password=hunter2'))).toBe('16 bytes of data');
  expect(otherKind('barrier', Buffer.alloc(100))).toBe('100 bytes of data');
});
