import { describe, expect, test } from 'vitest';
import { story } from '../../test/verdict-story.ts';
import { History } from '../history/history.ts';
import type { Plain } from '../history/plain.ts';
import { check } from './check.ts';

describe('no lost updates: sums', () => {
  const tell = (sum: number): History =>
    story(({ ok, lost, failed }) => {
      ok('a', 0, 1, 'add', { key: 'rides', by: 1 });
      ok('b', 0.5, 1.5, 'add', { key: 'rides', by: 1 });
      lost('c', 1, 2, 'add', { key: 'rides', by: 10 });
      failed('d', 1, 2, 'add', { key: 'rides', by: 100 });
      ok('a', 5, 6, 'read', { key: 'rides' }, sum);
    });

  test.each([2, 12])('a read of %d has them all', (sum) => {
    expect(check.noLostUpdates(tell(sum)).result).toBe('valid');
  });

  test('a read with less is found', () => {
    const verdict = check.noLostUpdates(tell(1));
    expect(verdict).toMatchObject({ result: 'invalid', summary: 'an add was lost of key rides' });
    expect(verdict.evidence?.why).toContain('add up to at least 2, and it returned 1: 1 is lost.');
  });

  test('a read with more than was ever added is found', () => {
    expect(check.noLostUpdates(tell(13))).toMatchObject({
      result: 'invalid',
      summary: 'more was read than added of key rides',
    });
  });

  test('an add that failed and is there all the same is found', () => {
    const history = story(({ ok, failed }) => {
      failed('a', 0, 1, 'add', { by: 1 });
      ok('b', 2, 3, 'read', {}, 1);
    });
    expect(check.noLostUpdates(history)).toMatchObject({ result: 'invalid', summary: 'more was read than added' });
  });

  test('what is taken away counts the other way round', () => {
    const withdrawn = (sum: number): History =>
      story(({ ok, lost }) => {
        ok('a', 0, 1, 'add', { by: 5 });
        lost('b', 2, 3, 'add', { by: -2 });
        ok('a', 5, 6, 'read', {}, sum);
      });
    for (const sum of [3, 5]) expect(check.noLostUpdates(withdrawn(sum)).result).toBe('valid');
    for (const sum of [2, 6]) expect(check.noLostUpdates(withdrawn(sum)).result).toBe('invalid');
  });

  test('two adds that came to the same sum are found, with no read at all', () => {
    const history = story(({ ok }) => {
      ok('a', 0, 5, 'add', { by: 1n }, 1n);
      ok('b', 1, 6, 'add', { by: 1n }, 1n);
    });
    expect(check.noLostUpdates(history)).toMatchObject({ result: 'invalid', summary: 'an add was lost' });
  });

  test('an add that came to less than was there before it is found, with no read at all', () => {
    const history = story(({ ok }) => {
      ok('a', 0, 1, 'add', { by: 5 }, 5);
      ok('b', 2, 3, 'add', { by: 1 }, 1);
    });
    expect(check.noLostUpdates(history)).toMatchObject({ result: 'invalid', summary: 'an add was lost' });
    const together = story(({ ok }) => {
      ok('a', 0, 5, 'add', { by: 5 }, 5);
      ok('b', 2, 7, 'add', { by: 1 }, 1);
    });
    expect(check.noLostUpdates(together)).toMatchObject({ result: 'invalid', summary: 'an add was lost' });
  });

  test('the keys 1 and "1" are two, and the name of a key is shown so', () => {
    const tell = (other: Plain): History =>
      story(({ ok }) => {
        ok('a', 0, 1, 'add', { key: '1', by: 1 });
        ok('a', 2, 3, 'read', { key: other }, 0);
      });
    expect(check.noLostUpdates(tell(1)).result).toBe('unknown');
    expect(check.noLostUpdates(tell('1'))).toMatchObject({ summary: 'an add was lost of key "1"' });
  });

  test('starts from the sum it is told', () => {
    const history = story(({ ok }) => {
      ok('a', 0, 1, 'add', { by: 1 });
      ok('a', 2, 3, 'read', {}, 8);
    });
    expect(check.noLostUpdates(history).result).toBe('invalid');
    expect(check.noLostUpdates(history, { initial: 7n }).result).toBe('valid');
  });
});

describe('no lost updates: values', () => {
  const tell = (seen: string[]): History =>
    story(({ ok, lost }) => {
      ok('a', 0, 1, 'add', { key: 'set', value: 'one' });
      lost('b', 0, 1, 'add', { key: 'set', value: 'two' });
      ok('c', 5, 6, 'read', { key: 'set' }, seen);
      ok('a', 7, 8, 'add', { key: 'set', value: 'three' });
    });

  test.each([[['one']], [['two', 'one']]])('a read of %j has them all', (seen) => {
    expect(check.noLostUpdates(tell(seen)).result).toBe('valid');
  });

  test.each([
    [['two'], 'an add was lost of key set'],
    [['one', 'three'], 'a value was read that was never added of key set'],
    [['one', 'four'], 'a value was read that was never added of key set'],
  ])('a read of %j is found', (seen, summary) => {
    expect(check.noLostUpdates(tell(seen))).toMatchObject({ result: 'invalid', summary });
  });
});

describe('no lost updates: a read that returns nothing', () => {
  type Happens = Parameters<Parameters<typeof story>[0]>[0];
  const tell = (of: object, middle: (happens: Happens) => void, output: Plain | undefined = null): History =>
    story((happens) => {
      happens.ok('a', 0, 1, 'add', { key: 'x', ...of });
      middle(happens);
      happens.ok('b', 20, 21, 'read', { key: 'x' }, output);
    });
  const kinds = [{ by: 1 }, { value: 'one' }];

  test.each(kinds)('after an add of %j that was ok has lost everything', (of) => {
    for (const nothing of [null, undefined]) {
      expect(check.noLostUpdates(tell(of, () => {}, nothing))).toMatchObject({
        result: 'invalid',
        summary: 'an add was lost of key x',
        evidence: { why: expect.stringContaining('nothing') },
      });
    }
    // Nothing is not a loss of what was never there.
    const early = story(({ ok, lost }) => {
      ok('b', 0, 3, 'read', { key: 'x' }, null);
      ok('a', 1, 2, 'add', { key: 'x', ...of });
      lost('a', 4, 5, 'add', { key: 'y', ...of });
      ok('b', 6, 7, 'read', { key: 'y' }, null);
    });
    expect(check.noLostUpdates(early, { initial: 7n }).result).toBe('unknown');
  });

  test.each(kinds)(
    'after an add of %j is explained by a delete in between, of which nobody knows that it failed',
    (of) => {
      const verdict = (middle: (happens: Happens) => void): string => check.noLostUpdates(tell(of, middle)).result;
      expect(verdict(({ ok }) => ok('c', 5, 6, 'delete', { key: 'x' }))).toBe('unknown');
      expect(verdict(({ lost }) => lost('c', 5, 6, 'delete', { key: 'x' }))).toBe('unknown');
      expect(verdict(({ ok }) => ok('c', 20.5, 30, 'delete', { key: 'x' }))).toBe('unknown');
      expect(verdict(({ failed }) => failed('c', 5, 6, 'delete', { key: 'x' }))).toBe('invalid');
      expect(verdict(({ ok }) => ok('c', 5, 6, 'delete', { key: 'y' }))).toBe('invalid');
      expect(verdict(({ ok }) => ok('c', 22, 23, 'delete', { key: 'x' }))).toBe('invalid');
    },
  );

  test.each(kinds)('is judged by what %j was added after the delete', (of) => {
    const again = (output: Plain): History =>
      tell(
        of,
        ({ ok }) => {
          ok('c', 5, 6, 'delete', { key: 'x' });
          ok('c', 7, 8, 'add', { key: 'x', ...of });
        },
        output,
      );
    expect(check.noLostUpdates(again(null)).result).toBe('invalid');
    expect(check.noLostUpdates(again('by' in of ? 1 : ['one'])).result).toBe('valid');
  });

  test('is as good as 0 where that may be the sum', () => {
    const back = tell({ by: 2 }, ({ ok }) => ok('c', 5, 6, 'add', { key: 'x', by: -2 }));
    expect(check.noLostUpdates(back).result).toBe('valid');
    expect(check.noLostUpdates(back, { initial: 7n }).result).toBe('invalid');
  });
});

test('adds to a number begin anew with a key that was deleted', () => {
  const history = story(({ ok }) => {
    ok('a', 0, 1, 'add', { key: 'x', by: 5 }, 12);
    ok('a', 2, 3, 'delete', { key: 'x' });
    ok('a', 4, 5, 'add', { key: 'x', by: 5 }, 5);
    ok('b', 6, 7, 'read', { key: 'x' }, 5);
  });
  expect(check.noLostUpdates(history, { initial: 7n }).result).toBe('valid');
});

describe('no lost updates: versions', () => {
  const tell = (version: number): History =>
    story(({ ok, failed }) => {
      ok('a', 0, 5, 'set', { key: 'x', version: 3 });
      failed('b', 1, 6, 'set', { key: 'x', version: 3 });
      ok('c', 2, 7, 'set', { key: 'x', version });
      ok('d', 2, 7, 'set', { key: 'y', version: 3 });
    });

  test('each version is replaced once', () => {
    expect(check.noLostUpdates(tell(4)).result).toBe('valid');
    expect(check.noLostUpdates(tell(-1)).result).toBe('unknown');
    const verdict = check.noLostUpdates(tell(3));
    expect(verdict).toMatchObject({ result: 'invalid', summary: 'an update was overwritten of key x' });
    expect(verdict.evidence?.lines.map(({ process }) => process)).toEqual(['a', 'c']);
  });
});

test.each([[false], [{ version: 4, applied: false }]])(
  'one that did not apply (output %j) replaced nothing',
  (output) => {
    const tell = (of: unknown): History =>
      story(({ ok }) => {
        ok('a', 0, 5, 'set', { key: 'x', version: 3 }, { applied: true });
        ok('b', 0, 5, 'set', { key: 'x', version: 3 }, of);
        ok('b', 6, 9, 'set', { key: 'x', version: 4 }, { applied: true });
      });
    expect(check.noLostUpdates(tell(output)).result).toBe('valid');
    expect(check.noLostUpdates(tell({ applied: true })).result).toBe('invalid');
  },
);

test('a version begins anew with a key that was deleted and created', () => {
  const tell = (recreated: boolean, last = 'set'): History =>
    story(({ ok }) => {
      ok('a', 0, 1, 'set', { key: 'x', version: 0 });
      if (recreated) ok('a', 2, 3, 'delete', { key: 'x' });
      if (recreated) ok('a', 4, 5, 'create', { key: 'x' });
      ok('a', 6, 7, last, { key: 'x', version: 0 });
    });
  for (const last of ['set', 'delete']) {
    expect(check.noLostUpdates(tell(true, last)).result).toBe('valid');
    expect(check.noLostUpdates(tell(false, last))).toMatchObject({ summary: 'an update was overwritten of key x' });
  }
});

test('with nothing to judge it says unknown', () => {
  expect(check.noLostUpdates(new History()).result).toBe('unknown');
  for (const output of [0, []]) {
    const early = story(({ ok }) => {
      ok('a', 0, 1, 'read', {}, output);
      ok('a', 2, 3, 'add', typeof output === 'number' ? { by: 1 } : { value: 'one' });
    });
    expect(check.noLostUpdates(early).result).toBe('unknown');
  }
  const unread = story(({ ok }) => ok('a', 0, 1, 'add', { by: 1 }));
  expect(check.noLostUpdates(unread).result).toBe('unknown');
});
