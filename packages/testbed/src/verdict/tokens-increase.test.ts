import { describe, expect, test } from 'vitest';
import { story } from '../../test/verdict-story.ts';
import { History } from '../history/history.ts';
import { check } from './check.ts';

describe('tokens increase', () => {
  test('from holder to holder, each lease on its own', () => {
    const history = story(({ held }) => {
      held('a', 0, 10, 'leader', 5n);
      held('b', 20, 30, 'leader', 2n ** 64n);
      held('c', 15, 16, 'other', 1n);
    });
    expect(check.tokensIncrease(history).result).toBe('valid');
  });

  test.each([5n, 4n])('a later holder with token %d after 5 is found', (token) => {
    const history = story(({ held }) => {
      held('a', 0, 10, 'leader', 5n);
      held('b', 20, 30, 'leader', token);
    });
    const verdict = check.tokensIncrease(history);
    expect(verdict.result).toBe('invalid');
    expect(verdict.evidence?.lines).toHaveLength(2);
  });

  test('a store that serves a holder of the past is found', () => {
    const tell = (outcome: 'ok' | 'failed'): History =>
      story((happens) => {
        happens.ok('b', 10, 11, 'write', { key: 'x', value: 2, token: 8n });
        happens.ok('b', 12, 13, 'write', { key: 'x', value: 3, token: 8n });
        happens[outcome]('a', 20, 21, 'write', { key: 'x', value: 1, token: 7n });
      });
    expect(check.tokensIncrease(tell('failed')).result).toBe('valid');
    const verdict = check.tokensIncrease(tell('ok'));
    expect(verdict).toMatchObject({ result: 'invalid', summary: expect.stringContaining('on key x') });
    expect(verdict.evidence?.why).toBe(
      'a was served with token 7 after token 8 had been seen: the store does not fence.',
    );
  });

  test('two writes at the same time may have come in either order', () => {
    const history = story(({ ok }) => {
      ok('b', 10, 20, 'write', { value: 2, token: 8n });
      ok('a', 15, 25, 'write', { value: 1, token: 7n });
    });
    expect(check.tokensIncrease(history).result).toBe('valid');
  });

  test('a late release with an old token harms nobody', () => {
    const history = story(({ ok }) => {
      ok('b', 10, 11, 'write', { value: 2, token: 8n });
      ok('a', 20, 21, 'release', { token: 7n });
    });
    expect(check.tokensIncrease(history).result).toBe('valid');
  });

  test('with no token anywhere it says unknown', () => {
    expect(check.tokensIncrease(new History()).result).toBe('unknown');
  });
});
