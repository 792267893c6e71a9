import { describe, expect, test } from 'vitest';
import { story } from '../../test/verdict-story.ts';
import { History } from '../history/history.ts';
import { check } from './check.ts';

describe('exclusive', () => {
  test('one holder after the other is valid', () => {
    const history = story(({ held }) => {
      held('a', 0, 10, 'leader', 1n);
      held('b', 10.1, 20, 'leader', 2n);
      held('c', 5, 15, 'another lease', 1n);
    });
    expect(check.exclusive(history)).toMatchObject({ result: 'valid', summary: '3 holdings of 2 leases' });
  });

  test('two holders at once are found, with who and how long', () => {
    const history = story(({ held }) => {
      held('a', 0, 10, 'leader', 1n);
      held('b', 8, 20, 'leader', 2n);
    });
    const verdict = check.exclusive(history);
    expect(verdict).toMatchObject({
      result: 'invalid',
      summary: 'two holders of leader at once (2 holdings of 1 lease)',
    });
    expect(verdict.evidence?.why).toBe(
      'From 8.00 ms a (token 1) and b (token 2) both took themselves for the holder, for 2.00 ms.',
    );
    expect(verdict.evidence?.lines).toEqual([
      { process: 'a', what: 'holds leader with token 1', from: 0, to: 10, holding: { lease: 'leader', token: '1' } },
      { process: 'b', what: 'holds leader with token 2', from: 8, to: 20, holding: { lease: 'leader', token: '2' } },
    ]);
  });

  test('holders of another lease in between change nothing', () => {
    const history = story(({ held }) => {
      held('a', 0, 100, 'leader', 1n);
      held('b', 50, 110, 'other', 2n);
      held('c', 99, 101, 'leader', 3n);
    });
    expect(check.exclusive(history).result).toBe('invalid');
    expect(check.exclusive(history, { lease: 'other' }).result).toBe('valid');
  });

  test('one that was never released lasts to the end, unless its process was killed', () => {
    const tell = (killed: boolean): History =>
      story(({ held, fault }) => {
        held('a', 0, undefined, 'leader', 1n);
        if (killed) fault('kill', 'a', 5);
        held('b', 10, 20, 'leader', 2n);
      });
    expect(check.exclusive(tell(false)).result).toBe('invalid');
    expect(check.exclusive(tell(true)).result).toBe('valid');
  });

  test('a paused holder does nothing, but must notice when it wakes', () => {
    const tell = (noticed: number): History =>
      story(({ held, fault }) => {
        held('a', 0, noticed, 'leader', 1n);
        fault('pause', 'a', 5, 30);
        held('b', 20, 40, 'leader', 2n);
      });
    expect(check.exclusive(tell(30)).result).toBe('valid');
    expect(check.exclusive(tell(33)).result).toBe('invalid');
    expect(check.exclusive(tell(33), { grace: 5 }).result).toBe('valid');
    expect(check.exclusive(tell(36), { grace: 5 }).result).toBe('invalid');
  });

  test('the pause of one process excuses no other', () => {
    const history = story(({ held, fault }) => {
      held('a', 0, 30, 'leader', 1n);
      fault('pause', 'c', 5, 30);
      held('b', 20, 40, 'leader', 2n);
    });
    expect(check.exclusive(history).result).toBe('invalid');
  });

  test('one token given to two holders is found, even one after the other', () => {
    const history = story(({ held }) => {
      held('a', 0, 10, 'leader', 1n);
      held('b', 20, 30, 'leader', 1n);
    });
    expect(check.exclusive(history)).toMatchObject({
      result: 'invalid',
      summary: 'one token of leader was given to two holders (2 holdings of 1 lease)',
    });
  });

  test('with nobody holding anything it says unknown', () => {
    expect(check.exclusive(new History()).result).toBe('unknown');
  });
});
