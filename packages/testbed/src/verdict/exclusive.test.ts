import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Action, actionsOfHolding, agree, type DrawnHolding, happening, seed } from '../../test/verdict-random.ts';
import { story } from '../../test/verdict-story.ts';
import type { HistoryEvent } from '../history/event.ts';
import { History } from '../history/history.ts';
import { check } from './check.ts';
import type { Verdict } from './verdict.ts';

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
      'From 8.00 ms a (token 1) and b (token 2) both considered themselves the holder, for 2.00 ms.',
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

  test('one that is paused when its holding ends does not act at that moment', () => {
    const history = story(({ held, fault }) => {
      fault('pause', 'a', 5, 30);
      held('b', 10, 20, 'leader', 2n);
      held('a', 0, 10, 'leader', 1n);
    });
    expect(check.exclusive(history).result).toBe('valid');
  });

  test('a kill ends the pause, and its grace: who comes back under that name is awake', () => {
    const tell = (paused: number, resumed: number | undefined, killed: number): History =>
      story(({ held, fault }) => {
        held('a', 0, undefined, 'leader', 1n);
        fault('pause', 'a', paused, resumed);
        fault('kill', 'a', killed);
        held('b', 30, undefined, 'leader', 2n);
        held('a', 40, undefined, 'leader', 3n);
      });
    expect(check.exclusive(tell(10, undefined, 20)).result).toBe('invalid');
    expect(check.exclusive(tell(10, 50, 20)).result).toBe('invalid');
    expect(check.exclusive(tell(10, 15, 20), { grace: 100 }).result).toBe('invalid');
    // The one that is paused is the one that was started after it.
    expect(check.exclusive(tell(25, undefined, 20)).result).toBe('valid');
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

describe(`exclusive against its definition, seed ${seed} (set QUORATE_SEED for another)`, () => {
  interface Drawn {
    readonly holdings: readonly DrawnHolding[];
    readonly faults: readonly {
      readonly kind: string;
      readonly process: string;
      readonly from: number;
      lasts?: number;
    }[];
    readonly grace: number;
  }

  const historyOf = ({ holdings, faults }: Drawn): History =>
    happening([
      ...holdings.flatMap(actionsOfHolding),
      // Never at the time of a holding's begin or end.
      ...faults.flatMap(({ kind, process, from, lasts }): Action[] => {
        let fault: ReturnType<History['fault']>;
        const begin = (history: History): void => {
          fault = history.fault(kind, [process, 'somebody']);
        };
        const end = (): void => fault.end();
        return [{ at: from + 0.5, run: begin }, ...(lasts === undefined ? [] : [{ at: from + 0.5 + lasts, run: end }])];
      }),
    ]);

  // Walks through the history event by event, and looks at who holds what at that place and until the next.
  const defined = ({ events }: History, { grace }: Drawn): Verdict['result'] => {
    interface Holding {
      readonly process: string;
      readonly lease: string;
      readonly token: bigint;
    }
    const all: Holding[] = [];
    let open: Holding[] = [];
    const isKillOf = (process: string, event: HistoryEvent): boolean =>
      event.type === 'fault' && event.kind === 'kill' && event.target.includes(process);
    const pauses = events.flatMap((event) => {
      if (event.type !== 'fault' || event.kind !== 'pause') return [];
      const healed = events.find((other) => other.type === 'healed' && other.id === event.id);
      return event.target.map((process) => {
        const [killed] = events.slice(events.indexOf(event)).filter((other) => isKillOf(process, other));
        return { process, from: event.at, to: Math.min((healed?.at ?? Infinity) + grace, killed?.at ?? Infinity) };
      });
    });
    const acts = ({ process }: Holding, at: number): boolean =>
      !pauses.some((pause) => pause.process === process && pause.from <= at && at <= pause.to);
    for (const [place, event] of events.entries()) {
      if (event.type === 'held' || event.type === 'released') {
        const { process, lease, token } = event;
        const isSame = (other: Holding): boolean =>
          other.process === process && other.lease === lease && other.token === token;
        const was = open.some(isSame);
        if (event.type === 'released') open = open.filter((other) => !isSame(other));
        else if (!was) {
          const holding = { process, lease, token };
          if (all.some((other) => other.lease === lease && other.token === token && other.process !== process)) {
            return 'invalid';
          }
          open.push(holding);
          all.push(holding);
        }
      }
      open = open.filter(({ process }) => !isKillOf(process, event));
      // At this place, and at every moment until the next: pauses and their grace begin and end at halves.
      const until = events[place + 1]?.at ?? 100;
      for (let at = event.at; at <= until; at += 0.25) {
        if (at === until && at > event.at) continue;
        const acting = open.filter((holding) => acts(holding, at));
        if (new Set(acting.map(({ lease }) => lease)).size < acting.length) return 'invalid';
      }
    }
    return all.length === 0 ? 'unknown' : 'valid';
  };

  const drawn: fc.Arbitrary<Drawn> = fc.record({
    holdings: fc.array(
      fc.record({
        process: fc.constantFrom('a', 'b'),
        lease: fc.constantFrom('one', 'one', 'one', 'two'),
        token: fc.bigInt({ min: 1n, max: 9n }),
        from: fc.nat(12),
        lasts: fc.option(fc.integer({ min: 0, max: 5 }), { nil: undefined, freq: 6 }),
      }),
      { maxLength: 4 },
    ),
    faults: fc.array(
      fc.record(
        {
          kind: fc.constantFrom('pause', 'pause', 'kill', 'slow'),
          process: fc.constantFrom('a', 'b'),
          from: fc.nat(12),
          lasts: fc.integer({ min: 1, max: 8 }),
        },
        { requiredKeys: ['kind', 'process', 'from'] },
      ),
      { maxLength: 3 },
    ),
    grace: fc.constantFrom(0, 0, 1, 3),
  });

  test('the verdict is that of every moment', () => {
    agree(drawn, historyOf, (history, { grace }) => check.exclusive(history, { grace }), defined);
  });
});
