import fc from 'fast-check';
import { expect } from 'vitest';
import { History } from '../src/history/history.ts';
import type { Plain } from '../src/history/plain.ts';
import type { Verdict } from '../src/verdict/verdict.ts';

/** One operation of a random history. */
export interface Step {
  readonly process?: string;
  readonly op: string;
  readonly input: Plain;
  readonly output: Plain;
  readonly outcome: 'ok' | 'failed' | 'ambiguous' | 'pending';
  readonly from: number;
  readonly lasts: number;
}

const outcome: fc.Arbitrary<Step['outcome']> = fc.oneof(
  { weight: 6, arbitrary: fc.constant('ok' as const) },
  { weight: 2, arbitrary: fc.constant('ambiguous' as const) },
  { weight: 1, arbitrary: fc.constant('pending' as const) },
  { weight: 1, arbitrary: fc.constant('failed' as const) },
);

/** Up to `maxLength` operations of these kinds, which overlap by chance: the more, the longer they may last. */
export function steps(
  kind: fc.Arbitrary<Pick<Step, 'op' | 'input' | 'output' | 'process'>>,
  maxLength = 7,
  longest = 6,
): fc.Arbitrary<Step[]> {
  const when = fc.record({ outcome, from: fc.nat(12), lasts: fc.nat(longest) });
  return fc.array(
    fc.tuple(kind, when).map(([what, times]): Step => ({ ...what, ...times })),
    { minLength: 1, maxLength },
  );
}

/** Something that happens at a time. */
export interface Action {
  readonly at: number;
  readonly run: (history: History) => void;
}

/** A lease that is held, for a time or to the end of the history. */
export interface DrawnHolding {
  readonly process: string;
  readonly lease: string;
  readonly token: bigint;
  readonly from: number;
  readonly lasts: number | undefined;
}

export function actionsOfHolding({ process, lease, token, from, lasts }: DrawnHolding): Action[] {
  const held: Action = { at: from, run: (history) => void history.held(process, lease, token) };
  if (lasts === undefined) return [held];
  return [held, { at: from + lasts, run: (history) => history.released(process, lease, token) }];
}

/** The history in which this happens, in order of time. */
export function happening(actions: readonly Action[]): History {
  let now = 0;
  const history = new History({ clock: () => now });
  for (const { at, run } of actions.toSorted((a, b) => a.at - b.at)) {
    now = at;
    run(history);
  }
  return history;
}

/** The history of these operations, each of a process of its own unless it names one. */
export function recorded(list: readonly Step[]): History {
  return happening(actionsOf(list));
}

export function actionsOf(list: readonly Step[]): Action[] {
  return list.flatMap(({ process, op, input, output, outcome: end, from, lasts }, index) => {
    let invocation: ReturnType<History['invoke']> | undefined;
    const begin = (history: History): void => {
      invocation = history.invoke(process ?? `client-${index}`, op, input);
    };
    const finish = (): void => {
      if (end === 'ok') invocation?.ok(output);
      if (end === 'failed') invocation?.failed('refused');
      if (end === 'ambiguous') invocation?.ambiguous('reply lost');
    };
    return [
      { at: from, run: begin },
      { at: from + lasts + 0.5, run: finish },
    ];
  });
}

/** From the environment, to try others, and more of them: 200,000 by hand. */
export const seed = Number(process.env.QUORATE_SEED ?? 5);
const runs = Number(process.env.QUORATE_RUNS ?? 6_000);

type Result = Verdict['result'];

/**
 * Holds a check against its definition on random histories. The oracle is written from the check's comment alone, tries
 * everything there is, and must not share code with the check. A failure prints the shortest history that shows it.
 */
export function agree<Drawn>(
  drawn: fc.Arbitrary<Drawn>,
  historyOf: (drawn: Drawn) => History,
  check: (history: History, drawn: Drawn) => Verdict,
  oracle: (history: History, drawn: Drawn) => Result,
): void {
  const count: Record<Result, number> = { valid: 0, invalid: 0, unknown: 0 };
  fc.assert(
    fc.property(drawn, (each) => {
      const history = historyOf(each);
      const expected = oracle(history, each);
      count[expected] += 1;
      expect(check(history, each).result, history.toJsonLines()).toBe(expected);
    }),
    { seed, numRuns: runs },
  );
  // Histories that are nearly all of one kind would prove little.
  for (const some of Object.values(count)) expect(some, JSON.stringify(count)).toBeGreaterThan(runs / 100);
}

/** Keys that are easily taken for one another, and none. */
export const key: fc.Arbitrary<{ readonly key?: Plain }> = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ key: 'x' }) },
  { weight: 1, arbitrary: fc.constantFrom<{ key?: Plain }>({ key: 1 }, { key: '1' }, { key: '' }, {}) },
);

/** What the operation is about, for an oracle: equal for equal keys, and different for different ones. */
export function keyText(input: Plain): string {
  return JSON.stringify((input as { key?: Plain } | null)?.key) ?? 'none';
}
