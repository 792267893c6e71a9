import { describe, expect, test } from 'vitest';
import { story } from '../../test/verdict-story.ts';
import { History } from '../history/history.ts';
import { check } from './check.ts';

describe('session order', () => {
  const tell = (...seen: [process: string, op: string, key: string, output: unknown][]): History =>
    story(({ ok }) => {
      seen.forEach(([process, op, key, output], i) => {
        ok(process, i * 10, i * 10 + 5, op, { key }, output);
      });
    });

  test('a process reads what it wrote, or something later', () => {
    expect(
      check.sessionOrder(
        tell(
          ['a', 'write', 'x', { version: 3 }],
          ['a', 'read', 'x', { version: 3 }],
          ['a', 'read', 'x', { version: 5n }],
          ['a', 'write', 'x', { version: 6n }],
        ),
      ),
    ).toMatchObject({ result: 'valid', summary: '4 operations of 1 process' });
  });

  test.each([
    ['does not read its own write', 'write', 'read', 2, 'a saw version 2 after it had written version 3.'],
    ['reads an older version than before', 'read', 'read', 2, 'a saw version 2 after it had seen version 3.'],
    ['writes an older version than it has seen', 'read', 'write', 2, 'a wrote version 2 after it had seen version 3.'],
    ['writes the version it has seen', 'read', 'write', 3, 'a wrote version 3, which it had met before.'],
  ])('a process that %s is found', (_, first, second, version, why) => {
    const verdict = check.sessionOrder(tell(['a', first, 'x', { version: 3 }], ['a', second, 'x', { version }]));
    expect(verdict.result).toBe('invalid');
    expect(verdict.evidence?.why).toBe(why);
    expect(verdict.evidence?.lines).toHaveLength(2);
  });

  test('another process, another key, or an operation at the same time is no measure', () => {
    expect(
      check.sessionOrder(
        tell(
          ['a', 'write', 'x', { version: 3 }],
          ['b', 'read', 'x', { version: 2 }],
          ['a', 'read', 'y', { version: 1 }],
        ),
      ).result,
    ).toBe('valid');
    const together = story(({ ok }) => {
      ok('a', 0, 10, 'read', { key: 'x' }, { version: 3 });
      ok('a', 5, 15, 'read', { key: 'x' }, { version: 2 });
    });
    expect(check.sessionOrder(together).result).toBe('valid');
  });

  test('a server that is behind is found by its zxid, whatever the keys', () => {
    const verdict = check.sessionOrder(tell(['a', 'read', 'x', { zxid: 9n }], ['a', 'read', 'y', { zxid: 8n }]));
    expect(verdict).toMatchObject({ result: 'invalid', summary: 'a went back in time (2 operations of 1 process)' });
  });

  test('what makes a version can be said', () => {
    const history = tell(['a', 'read', 'x', { version: 3 }], ['a', 'rename', 'x', { version: 3 }]);
    expect(check.sessionOrder(history).result).toBe('valid');
    expect(check.sessionOrder(history, { writes: ['rename'] }).result).toBe('invalid');
  });

  test('with no version anywhere it says unknown', () => {
    expect(check.sessionOrder(new History()).result).toBe('unknown');
  });
});
