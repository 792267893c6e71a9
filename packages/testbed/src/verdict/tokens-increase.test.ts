import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  actionsOf,
  actionsOfHolding,
  agree,
  type DrawnHolding,
  happening,
  key,
  keyText,
  type Step,
  seed,
  steps,
} from '../../test/verdict-random.ts';
import { story } from '../../test/verdict-story.ts';
import { History } from '../history/history.ts';
import type { Operation } from '../history/operation.ts';
import { check } from './check.ts';
import type { Verdict } from './verdict.ts';

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

  test('the same holder may take up its own token again, until somebody came in between', () => {
    const tell = (between: boolean): History =>
      story(({ held }) => {
        held('a', 0, 10, 'leader', 5n);
        if (between) held('b', 12, 18, 'leader', 6n);
        held('a', 20, 30, 'leader', 5n);
      });
    expect(check.tokensIncrease(tell(false)).result).toBe('valid');
    expect(check.tokensIncrease(tell(true)).result).toBe('invalid');
  });

  test('a write that a later read should have shut out is found when reads carry their token', () => {
    const tell = (token: (of: bigint) => object): History =>
      story(({ ok }) => {
        ok('a', 0, 1, 'read', { key: 'x', ...token(1n) }, 0);
        ok('b', 2, 3, 'read', { key: 'x', ...token(2n) }, 0);
        ok('a', 4, 5, 'write', { key: 'x', value: 1, token: 1n });
        ok('b', 6, 7, 'write', { key: 'x', value: 1, token: 2n });
      });
    expect(check.tokensIncrease(tell(() => ({}))).result).toBe('valid');
    expect(check.tokensIncrease(tell((token) => ({ token }))).result).toBe('invalid');
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

  test('what a store refuses, and says so in its output, was not served; a read of false was', () => {
    const tell = (op: string, output: unknown): History =>
      story(({ ok }) => {
        ok('b', 10, 11, 'write', { key: 'x', value: 2, token: 8n });
        ok('a', 20, 21, op, { key: 'x', value: 1, token: 7n }, output);
        ok('b', 30, 31, 'write', { key: 'x', value: 3, token: 8n });
      });
    for (const refused of [false, { applied: false }]) {
      expect(check.tokensIncrease(tell('write', refused)).result).toBe('valid');
    }
    for (const served of [true, null, { applied: true }]) {
      expect(check.tokensIncrease(tell('write', served)).result).toBe('invalid');
    }
    expect(check.tokensIncrease(tell('read', false)).result).toBe('invalid');
  });

  test('two writes at the same time may have come in either order', () => {
    const history = story(({ ok }) => {
      ok('b', 10, 20, 'write', { value: 2, token: 8n });
      ok('a', 15, 25, 'write', { value: 1, token: 7n });
      ok('b', 30, 31, 'write', { value: 3, token: 8n });
    });
    expect(check.tokensIncrease(history).result).toBe('valid');
  });

  test('a late release with an old token harms nobody', () => {
    const history = story(({ ok }) => {
      ok('b', 10, 11, 'write', { value: 2, token: 8n });
      ok('a', 20, 21, 'release', { token: 7n });
      ok('b', 30, 31, 'write', { value: 3, token: 8n });
    });
    expect(check.tokensIncrease(history).result).toBe('valid');
  });

  test('with no two tokens to compare it says unknown', () => {
    expect(check.tokensIncrease(new History()).result).toBe('unknown');
    const apart = story(({ ok, held }) => {
      held('a', 0, 10, 'leader', 5n);
      held('b', 20, 30, 'other', 4n);
      ok('a', 0, 1, 'write', { key: 'x', token: 5n });
      ok('b', 2, 3, 'write', { key: 'y', token: 4n });
      ok('c', 5, 7, 'write', { key: 'z', token: 4n });
      ok('d', 6, 8, 'write', { key: 'z', token: 3n });
    });
    expect(check.tokensIncrease(apart)).toMatchObject({
      result: 'unknown',
      summary: 'nothing to judge: no lease was held twice, and no key had two tokens, one after the other',
    });
  });
});

describe(`tokens against their definition, seed ${seed} (set QUORATE_SEED for another)`, () => {
  interface Drawn {
    readonly holdings: readonly DrawnHolding[];
    readonly kill: number | undefined;
    readonly operations: readonly Step[];
  }

  const historyOf = ({ holdings, kill, operations }: Drawn): History => {
    const killed = kill === undefined ? [] : [{ at: kill, run: (history: History) => void history.fault('kill', 'a') }];
    return happening([...holdings.flatMap(actionsOfHolding), ...killed, ...actionsOf(operations)]);
  };

  const defined = ({ events, operations }: History): Verdict['result'] => {
    // In the order they began; one that is open already does not begin anew.
    const begun: { process: string; lease: string; token: bigint }[] = [];
    let open: typeof begun = [];
    for (const event of events) {
      const same = (other: (typeof begun)[number]): boolean =>
        'lease' in event &&
        other.process === event.process &&
        other.lease === event.lease &&
        other.token === event.token;
      if (event.type === 'held' && !open.some(same)) {
        begun.push(event);
        open.push(event);
      }
      if (event.type === 'released') open = open.filter((other) => !same(other));
      if (event.type === 'fault') open = open.filter(({ process }) => !event.target.includes(process));
    }
    let judged = false;
    const pairs = begun.flatMap((first, i) => begun.slice(i + 1).map((second) => [first, second] as const));
    for (const [first, second] of pairs) {
      judged ||= first.lease === second.lease;
      const own = first.token === second.token && first.process === second.process;
      if (first.lease === second.lease && !own && !(second.token > first.token)) return 'invalid';
    }
    const tokenOf = ({ input }: Operation): number | undefined => (input as { token?: number }).token;
    const served = operations.filter(
      (operation) => operation.outcome === 'ok' && operation.op !== 'release' && tokenOf(operation) !== undefined,
    );
    for (const first of served) {
      for (const second of served) {
        const after = keyText(first.input) === keyText(second.input) && second.invoked > first.completed;
        judged ||= after;
        if (after && (tokenOf(second) ?? 0) < (tokenOf(first) ?? 0)) return 'invalid';
      }
    }
    return judged ? 'valid' : 'unknown';
  };

  const token = fc.integer({ min: 1, max: 5 });
  const holding = fc.record({
    process: fc.constantFrom('a', 'b'),
    lease: fc.constantFrom('one', 'one', 'two'),
    token: token.map(BigInt),
    from: fc.integer({ min: 0, max: 12 }),
    lasts: fc.option(fc.integer({ min: 0, max: 6 }), { nil: undefined }),
  });
  const input = fc
    .tuple(key, fc.option(token, { nil: undefined, freq: 5 }))
    .map(([of, each]) => ({ ...of, ...(each !== undefined && { token: each }) }));
  const kind = fc.record({
    op: fc.constantFrom('read', 'write', 'write', 'release'),
    input,
    output: fc.constant(null),
  });
  const drawn: fc.Arbitrary<Drawn> = fc.oneof(
    fc.record({
      holdings: fc.array(holding, { maxLength: 4 }),
      kill: fc.option(fc.nat(12), { nil: undefined }),
      operations: fc.constant([]),
    }),
    fc.record({
      holdings: fc.array(holding, { maxLength: 1 }),
      kill: fc.constant(undefined),
      operations: steps(kind as never, 5),
    }),
  );

  test('the verdict is that of every pair of holdings and of operations', () => {
    agree(drawn, historyOf, (history) => check.tokensIncrease(history), defined);
  });
});
