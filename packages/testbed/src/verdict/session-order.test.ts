import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { agree, key, keyText, recorded, seed, steps } from '../../test/verdict-random.ts';
import { story } from '../../test/verdict-story.ts';
import { History } from '../history/history.ts';
import type { Operation } from '../history/operation.ts';
import type { Plain } from '../history/plain.ts';
import { check } from './check.ts';
import type { Verdict } from './verdict.ts';

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
    ['writes the version it has seen', 'read', 'write', 3, 'a wrote version 3, which it had seen before.'],
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
      ),
    ).toMatchObject({
      result: 'unknown',
      summary:
        'nothing to judge: no process had two outputs, one after the other, with a version of one key, or a zxid',
    });
    const together = story(({ ok }) => {
      ok('a', 0, 10, 'read', { key: 'x' }, { version: 3 });
      ok('a', 5, 15, 'read', { key: 'x' }, { version: 2 });
    });
    expect(check.sessionOrder(together).result).toBe('unknown');
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

  test('a compare-and-set that did not apply wrote nothing', () => {
    const missed = { version: 3, applied: false };
    expect(check.sessionOrder(tell(['a', 'read', 'x', { version: 3 }], ['a', 'cas', 'x', missed])).result).toBe(
      'valid',
    );
    expect(check.sessionOrder(tell(['a', 'read', 'x', { version: 4 }], ['a', 'cas', 'x', missed])).result).toBe(
      'invalid',
    );
  });

  test('the keys 1 and "1" are two', () => {
    const history = story(({ ok }) => {
      ok('a', 0, 1, 'read', { key: 1 }, { version: 3 });
      ok('a', 2, 3, 'read', { key: '1' }, { version: 2 });
    });
    expect(check.sessionOrder(history).result).toBe('unknown');
  });

  test('with no version anywhere it says unknown', () => {
    expect(check.sessionOrder(new History()).result).toBe('unknown');
  });
});

describe(`session order against its definition, seed ${seed} (set QUORATE_SEED for another)`, () => {
  const defined = (history: History): Verdict['result'] => {
    const ok = history.operations.filter((operation) => operation.outcome === 'ok');
    const field = ({ output }: Operation, name: string): Plain | undefined =>
      (output as Record<string, Plain> | null)?.[name];
    const applied = ({ output }: Operation): boolean => !Object.values(output ?? {}).includes(false);
    const writes = (operation: Operation): boolean =>
      ['write', 'set', 'cas', 'update', 'create', 'delete'].includes(operation.op) && applied(operation);
    let judged = false;
    for (const first of ok) {
      for (const second of ok) {
        if (first.process !== second.process || !(first.completed < second.invoked)) continue;
        const [v1, v2] = [field(first, 'version'), field(second, 'version')];
        if (typeof v1 === 'number' && typeof v2 === 'number' && keyText(first.input) === keyText(second.input)) {
          judged = true;
          if (v2 < v1 || (v2 === v1 && writes(second))) return 'invalid';
        }
        const [z1, z2] = [field(first, 'zxid'), field(second, 'zxid')];
        if (typeof z1 !== 'number' || typeof z2 !== 'number') continue;
        judged = true;
        if (z2 < z1) return 'invalid';
      }
    }
    return judged ? 'valid' : 'unknown';
  };
  const number = fc.integer({ min: 3, max: 6 });
  const output = fc.oneof(
    fc.record({ version: number, zxid: number, applied: fc.boolean() }, { requiredKeys: [] }),
    fc.record({ version: number }),
    fc.constant(false),
  );
  const op = fc.constantFrom('read', 'get', 'cas', 'write', 'set', 'delete', 'rename');
  const kinds = fc.record({ op, input: key, output, process: fc.constantFrom('a', 'b') });

  test('the verdict is that of every pair of operations', () => {
    agree(steps(kinds as never, 6), recorded, (history) => check.sessionOrder(history), defined);
  });
});
