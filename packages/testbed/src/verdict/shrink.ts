import { type Operation, shownKey } from '../history/operation.ts';
import { Budget } from './budget.ts';
import { judge, upTo } from './judge.ts';
import { type Model, placesOf } from './model.ts';
import { Search } from './search.ts';
import type { TimedCall } from './timeline.ts';
import { counted, type Evidence, evidenceLines } from './verdict.ts';

export interface Timed<Call> extends TimedCall<Call> {
  readonly operation: Operation;
}

export interface ShrinkLimits {
  readonly start: number;
  readonly milliseconds: number;
  readonly bytes: number;
}

// More lines than this and a reader looks for another explanation: then the beginning is told in one sentence.
const readable = 8;
const mostLines = 100;

/**
 * The shortest part of an invalid list of calls that is invalid on its own, as evidence. Nothing is taken out that could
 * have explained the rest: what is shown proves the verdict by itself.
 */
export function offendingPart<State, Call>(
  model: Model<State, Call>,
  key: string,
  all: readonly Timed<Call>[],
  blocked: number,
  { start, milliseconds, bytes }: ShrinkLimits,
): { readonly evidence: Evidence } {
  const ends = performance.now() + milliseconds;
  const budget = (): Budget => new Budget({ milliseconds: ends - performance.now(), bytes });
  const search = (calls: readonly Timed<Call>[]): Search<State, Call> =>
    new Search(model, calls, budget(), { ahead: false });
  // What came after the blocked call can have ruled out an explanation: then it belongs to the evidence.
  const shortened = (calls: readonly Timed<Call>[], place: number): readonly Timed<Call>[] => {
    const beginning = upTo(calls, place);
    return judge(model, beginning, budget()).result === 'invalid' ? beginning : calls;
  };

  let part = shortened(all, blocked);
  for (;;) {
    const shorter = withoutSome(model, part, (calls) => {
      if (performance.now() > ends) return undefined;
      const found = judge(model, calls, budget());
      return found.result === 'invalid' ? shortened(calls, found.blocked) : undefined;
    });
    if (shorter === undefined) break;
    part = shorter;
  }

  const found = search(part).run();
  const last =
    found.result === 'invalid'
      ? part[found.blocked]
      : part.find(({ operation }) => operation === all[blocked]?.operation);
  const folded = part.length > readable ? foldedStart(search, part) : undefined;
  const shown = (folded?.rest ?? part).map(({ operation }) => operation);
  const lines = evidenceLines(shown.slice(-mostLines), start);
  const where = key === '' ? '' : ` of key ${shownKey(key)}`;
  const before =
    folded === undefined
      ? ''
      : `${counted(folded.count, 'earlier operation')}${where} can only have left: ${listed(folded.states.map(model.show))}. `;
  const could = found.result === 'invalid' ? ` It can only have found: ${listed(found.states.map(model.show))}.` : '';
  const who =
    last === undefined
      ? 'The last of them'
      : `${last.operation.op} by ${last.operation.process} (operation ${last.operation.id})`;
  const cut = shown.length > mostLines ? ` (The first ${shown.length - mostLines} are not shown.)` : '';
  return { evidence: { why: `${before}No order of these lets ${who} end as it did.${could}${cut}`, lines } };
}

/** Takes groups of calls out, many at once and then fewer, until one attempt leaves an invalid rest. */
function withoutSome<State, Call>(
  { separable, reads = () => false }: Model<State, Call>,
  part: readonly Timed<Call>[],
  stillInvalid: (rest: readonly Timed<Call>[]) => readonly Timed<Call>[] | undefined,
): readonly Timed<Call>[] | undefined {
  const calls = part.map(({ call }) => call);
  const groups = separable?.(calls) ?? placesOf(calls, reads);
  for (let size = groups.length; size >= 1; size = Math.floor(size / 2)) {
    for (let from = 0; from < groups.length; from += size) {
      const gone = new Set(groups.slice(from, from + size).flat());
      const rest = stillInvalid(part.filter((_, place) => !gone.has(place)));
      if (rest !== undefined) return rest;
    }
  }
  return undefined;
}

/** Tells the beginning, up to the last moment at which nothing was open, by the states it can have led to. */
function foldedStart<State, Call>(
  search: (calls: readonly Timed<Call>[]) => Search<State, Call>,
  part: readonly Timed<Call>[],
): { count: number; states: State[]; rest: Timed<Call>[] } | undefined {
  const required = part
    .filter(({ completed }) => completed !== Number.POSITIVE_INFINITY)
    .sort((a, b) => a.completed - b.completed);
  // From the back: the earliest invocation of what is left decides whether the moment before it is quiet.
  let earliest = Number.POSITIVE_INFINITY;
  for (let count = required.length - 1; count > 0; count -= 1) {
    earliest = Math.min(earliest, required[count]?.invoked ?? 0);
    if ((required[count - 1]?.completed ?? 0) > earliest) continue;
    const states = search(part).statesAfter(count);
    if (states === undefined || states.length === 0 || states.length > readable) return undefined;
    const folded = new Set(required.slice(0, count));
    return { count, states, rest: part.filter((timed) => !folded.has(timed)) };
  }
  return undefined;
}

function listed(states: readonly string[]): string {
  if (states.length === 0) return 'nothing the model knows';
  const shown = states.slice(0, readable).join(' or ');
  return states.length > readable ? `${shown} or ${states.length - readable} other states` : shown;
}
