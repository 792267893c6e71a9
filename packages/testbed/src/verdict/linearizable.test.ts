import { describe, expect, test } from 'vitest';
import { type SimulatedRun, simulatedRun } from '../../test/verdict-simulated-run.ts';
import { story } from '../../test/verdict-story.ts';
import { History } from '../history/history.ts';
import { check } from './check.ts';
import { counter } from './counter.ts';
import type { Model } from './model.ts';
import { mutex } from './mutex.ts';
import { queue } from './queue.ts';
import { casRegister, register } from './register.ts';
import { verdictText } from './verdict.ts';

describe('a register', () => {
  test('a write and a read at the same time may come in either order', () => {
    for (const seen of [null, 1]) {
      const history = story(({ ok }) => {
        ok('a', 0, 10, 'write', { key: 'x', value: 1 });
        ok('b', 2, 8, 'read', { key: 'x' }, seen);
      });
      expect(check.linearizable(history, register()).result).toBe('valid');
    }
  });

  test('a stale read is found, and shown with the two writes that prove it among a thousand operations', () => {
    const history = story(({ ok }) => {
      for (let i = 0; i < 500; i += 1) {
        ok('a', i * 10, i * 10 + 1, 'write', { key: 'x', value: i });
        ok('b', i * 10 + 2, i * 10 + 3, 'read', { key: 'x' }, i === 400 ? 398 : i);
      }
    });
    const verdict = check.linearizable(history, register());
    expect(verdict).toMatchObject({
      result: 'invalid',
      summary: 'no order explains it on key x (1,000 operations on 1 key, 0 of them ambiguous)',
    });
    expect(verdict.evidence?.lines.map(({ process, what }) => `${process}: ${what}`)).toEqual([
      'a: write x 398 -> ok',
      expect.stringMatching(/^a: write x (399|400) -> ok$/),
      'b: read x -> 398',
    ]);
  });

  test('two readers that disagree about the order of two writes are found', () => {
    const tell = (second: number[]): History =>
      story(({ ok }) => {
        ok('a', 0, 100, 'write', { value: 1 });
        ok('b', 0.5, 100.5, 'write', { value: 2 });
        [1, 2].forEach((value, i) => {
          ok('c', 10 + i * 10, 15 + i * 10, 'read', {}, value);
        });
        second.forEach((value, i) => {
          ok('d', 11 + i * 10, 16 + i * 10, 'read', {}, value);
        });
      });
    expect(check.linearizable(tell([1, 2]), register()).result).toBe('valid');
    expect(check.linearizable(tell([2, 1]), register()).result).toBe('invalid');
  });

  test('an ambiguous write may take effect long after, once, or never', () => {
    const tell = (...seen: number[]): History =>
      story(({ ok, lost }) => {
        ok('a', 0, 1, 'write', { value: 1 });
        lost('b', 2, 3, 'write', { value: 2 });
        seen.forEach((value, i) => {
          ok('a', 10 * i + 10, 10 * i + 11, 'read', {}, value);
        });
      });
    expect(check.linearizable(tell(1, 1, 1), register()).result).toBe('valid');
    expect(check.linearizable(tell(1, 1, 2), register()).result).toBe('valid');
    expect(check.linearizable(tell(1, 2, 1), register()).result).toBe('invalid');
  });

  test('a failed write did not happen', () => {
    const history = story(({ ok, failed }) => {
      failed('a', 0, 1, 'write', { value: 1 });
      ok('b', 2, 3, 'read', {}, 1);
    });
    expect(check.linearizable(history, register()).result).toBe('invalid');
  });

  test('each key is judged on its own, and the bad ones are counted', () => {
    const history = story(({ ok }) => {
      for (const key of ['x', 'y', 'z']) {
        ok('a', 0, 1, 'write', { key, value: key });
        ok('b', 2, 3, 'read', { key }, key === 'z' ? 'z' : 'other');
      }
    });
    expect(check.linearizable(history, register()).summary).toContain('on key x, and on 1 other key');
  });

  test('a compare-and-set that two clients won is found', () => {
    const tell = (second: boolean): History =>
      story(({ ok }) => {
        ok('a', 0, 10, 'cas', { expect: null, value: 'a' }, true);
        ok('b', 1, 11, 'cas', { expect: null, value: 'b' }, second);
      });
    expect(check.linearizable(tell(false), casRegister()).result).toBe('valid');
    expect(check.linearizable(tell(true), casRegister()).result).toBe('invalid');
  });
});

test('an ambiguous operation is not used up by a way that led nowhere', () => {
  // The search first takes write 1, write 3 and the ambiguous 3 to 1 for the way to 9; but that one is needed at the end.
  const history = story(({ ok, lost }) => {
    ok('a', 0, 10.5, 'write', { value: 1 });
    ok('b', 0.1, 11, 'write', { value: 3 });
    ok('c', 1, 5, 'cas', { expect: 1, value: 9 }, true);
    lost('d', 1.5, 2, 'cas', { expect: 3, value: 1 });
    ok('a', 12, 13, 'read', {}, 9);
    ok('a', 14, 15, 'write', { value: 3 });
    ok('a', 16, 17, 'read', {}, 1);
  });
  expect(check.linearizable(history, casRegister()).result).toBe('valid');
});

test('a counter: an add that got lost is found', () => {
  const tell = (sum: bigint): History =>
    story(({ ok, lost }) => {
      ok('a', 0, 10, 'add', { by: 1n }, 1n);
      ok('b', 1, 11, 'add', { by: 1n });
      lost('c', 2, 12, 'add', { by: 5n });
      ok('a', 20, 21, 'read', {}, sum);
    });
  for (const sum of [2n, 7n]) expect(check.linearizable(tell(sum), counter()).result).toBe('valid');
  for (const sum of [0n, 1n, 6n, 8n]) expect(check.linearizable(tell(sum), counter()).result).toBe('invalid');
});

test('a long beginning is told by what it can have led to', () => {
  const history = story(({ ok }) => {
    for (let i = 0; i < 300; i += 1) ok('a', i * 10, i * 10 + 1, 'add', { key: 'rides', by: 2 });
    ok('b', 3000, 3001, 'read', { key: 'rides' }, 599);
  });
  const { evidence } = check.linearizable(history, counter());
  expect(evidence?.lines.map(({ what }) => what)).toEqual(['read rides -> 599']);
  expect(evidence?.why).toBe(
    '300 earlier operations of key rides can only have left: 600. No order of these lets read by b (operation 301) end as it did. It can only have found: 600.',
  );
});

describe('a mutex', () => {
  const tell = (token: bigint, released: 'ok' | 'lost' | 'never'): History =>
    story(({ ok, lost }) => {
      ok('a', 0, 1, 'acquire', {}, { token: 5n });
      if (released === 'ok') ok('a', 2, 3, 'release', { token: 5n });
      if (released === 'lost') lost('a', 2, 3, 'release', { token: 5n });
      ok('b', 4, 5, 'acquire', {}, token);
    });

  test('goes to the next with a higher token, after a release that happened or may have', () => {
    expect(check.linearizable(tell(6n, 'ok'), mutex()).result).toBe('valid');
    expect(check.linearizable(tell(6n, 'lost'), mutex()).result).toBe('valid');
  });

  test('a second holder, and a token that does not increase, are found', () => {
    const twice = check.linearizable(tell(6n, 'never'), mutex());
    expect(twice.evidence?.why).toContain('It can only have found: held with token 5.');
    expect(check.linearizable(tell(5n, 'ok'), mutex()).result).toBe('invalid');
    expect(check.linearizable(tell(4n, 'ok'), mutex()).result).toBe('invalid');
  });
});

describe('a queue', () => {
  const tell = (...taken: (number | null)[]): History =>
    story(({ ok }) => {
      ok('a', 0, 1, 'enqueue', { value: 1 });
      ok('a', 2, 3, 'enqueue', { value: 2 });
      taken.forEach((value, i) => {
        ok('b', 10 * i + 10, 10 * i + 11, 'dequeue', {}, value);
      });
    });

  test.each([
    [[1, 2, null], 'valid', 'valid'],
    [[2, 1], 'invalid', 'valid'],
    [[1, 1], 'invalid', 'invalid'],
    [[1, null], 'invalid', 'invalid'],
    [[3], 'invalid', 'invalid'],
  ])('takes %j: %s first in first out, %s in any order', (taken, fifo, bag) => {
    expect(check.linearizable(tell(...taken), queue()).result).toBe(fifo);
    expect(check.linearizable(tell(...taken), queue({ order: 'bag' })).result).toBe(bag);
  });
});

describe('a search that is not over', () => {
  // All at once, each seen twice by nobody in particular: more orders than anyone can try.
  const hard = story(({ ok }) => {
    for (let i = 0; i < 24; i += 1) ok(`c${i}`, i / 100, 100 + i, 'add', { key: 'x', by: 2 ** i });
    ok('reader', 0.5, 99, 'read', { key: 'x' }, 2 ** 24 + 1);
  });

  test('says unknown when the time is up', () => {
    const begun = performance.now();
    expect(check.linearizable(hard, counter(), { timeout: 100 })).toMatchObject({
      result: 'unknown',
      summary: expect.stringContaining('not decided within 100 ms on 1 key'),
    });
    expect(performance.now() - begun).toBeLessThan(5_000);
  });

  test('says unknown when the memory is used up', () => {
    expect(check.linearizable(hard, counter(), { memory: 2 ** 20 })).toMatchObject({
      result: 'unknown',
      summary: expect.stringContaining('not decided within 1 MiB on 1 key'),
    });
  });

  test('still says invalid when another key is', () => {
    const other = story(({ ok }) => ok('a', 0, 1, 'read', { key: 'y' }, 7));
    expect(check.linearizable(History.merge(hard, other), counter(), { timeout: 200 }).result).toBe('invalid');
  });
});

test('with nothing to judge it says unknown: a test that recorded nothing has shown nothing', () => {
  expect(check.linearizable(new History(), register())).toMatchObject({ result: 'unknown' });
});

test.each(['failed', 'lost'] as const)('nor has one in which everything %s', (ended) => {
  const tell = (more: boolean): History =>
    story((happens) => {
      for (let i = 0; i < 3; i += 1) happens[ended]('a', i, i + 0.5, 'write', { key: 'x', value: i });
      if (more) happens.ok('b', 5, 6, 'write', { key: 'y', value: 1 });
    });
  expect(check.linearizable(tell(false), register())).toMatchObject({
    result: 'unknown',
    summary: 'nothing to judge: of 3 operations (read, write) none was ok',
  });
  const [size] = ended === 'failed' ? ['1 operation on 1 key, 0'] : ['4 operations on 2 keys, 3'];
  expect(check.linearizable(tell(true), register())).toMatchObject({
    result: 'valid',
    summary: `${size} of them ambiguous`,
  });
});

test('an operation the model cannot read is named', () => {
  const history = story(({ ok }) => ok('a', 0, 1, 'write', { key: 'x' }));
  expect(() => check.linearizable(history, register())).toThrow(
    'operation 1 (a: write x -> ok): expected an input with a field "value"',
  );
});

test('judges only the operations asked for', () => {
  const history = story(({ ok }) => {
    ok('a', 0, 1, 'write', { key: 'x', value: 1 });
    ok('b', 2, 3, 'read', { key: 'x' }, 0);
  });
  expect(check.linearizable(history, register(), { only: ({ process }) => process === 'a' }).result).toBe('valid');
});

test('a failed verdict reads as a table', () => {
  const history = story(({ ok }) => {
    ok('client-1', 0, 1, 'write', { key: 'x', value: 1 });
    ok('client-2', 2, 30.25, 'read', { key: 'x' }, 2);
  });
  expect(
    verdictText(check.linearizable(history, register())),
  ).toBe(`INVALID  linearizable as a register: no order explains it on key x (2 operations on 1 key, 0 of them ambiguous)

     from        to  process
  2.00 ms  30.25 ms  client-2  read x -> 2

  No order of these lets read by client-2 (operation 2) end as it did. It can only have found: null.`);
  expect(JSON.parse(JSON.stringify(check.linearizable(history, register()))).result).toBe('invalid');
});

describe('runs of clients on correct objects', () => {
  const models: Record<SimulatedRun['object'], () => Model<never, never>> = {
    register: register as () => Model<never, never>,
    casRegister: casRegister as () => Model<never, never>,
    counter: counter as () => Model<never, never>,
    mutex: mutex as () => Model<never, never>,
    queue: queue as () => Model<never, never>,
  };

  for (const object of Object.keys(models) as SimulatedRun['object'][]) {
    test(`${object}: valid, and one false reply is found`, () => {
      let found = 0;
      for (let seed = 1; seed <= 10; seed += 1) {
        const run = { seed, object, operations: 1_000, keys: 4, clients: 12, lost: 0.01 };
        expect(check.linearizable(simulatedRun(run), models[object]()).result, `seed ${seed}`).toBe('valid');
        const { result } = check.linearizable(simulatedRun({ ...run, lieAfter: 0.9 }), models[object](), {
          timeout: 2_000,
        });
        if (result === 'invalid') found += 1;
      }
      // A false reply of a compare-and-set may have another explanation.
      expect(found).toBeGreaterThanOrEqual(object === 'casRegister' ? 3 : 9);
    });
  }

  test.each([0, 0.02])(
    'fifty clients that count on one key, a share of %d of the replies lost, are judged in time',
    (lost) => {
      for (let seed = 1; seed <= 5; seed += 1) {
        const run = { seed, object: 'counter', operations: 2_000, keys: 1, clients: 50, lost } as const;
        expect(check.linearizable(simulatedRun(run), counter()).result, `seed ${seed}`).toBe('valid');
        const lie = check.linearizable(simulatedRun({ ...run, lieAfter: 0.5 }), counter());
        expect(lie.result, `seed ${seed}`).toBe('invalid');
        expect(lie.evidence?.lines.length).toBeGreaterThan(0);
      }
    },
  );

  test('100,000 operations on 100 keys are judged in time', () => {
    const history = simulatedRun({
      seed: 7,
      object: 'casRegister',
      operations: 100_000,
      keys: 100,
      clients: 50,
      lost: 0.01,
    });
    const begun = performance.now();
    expect(check.linearizable(history, casRegister()).result).toBe('valid');
    // A guard, not a measurement: it takes well under a second where nothing else runs.
    expect(performance.now() - begun).toBeLessThan(30_000);
  });
});
