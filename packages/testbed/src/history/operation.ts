import type { HistoryEvent } from './event.ts';
import { fieldOf, type Plain, textOf } from './plain.ts';

/** An invocation together with how it ended. */
export interface Operation {
  readonly id: number;
  readonly process: string;
  readonly op: string;
  readonly input: Plain;
  /** `pending`: the history ends, or its process died, before it completed. It may still take effect. */
  readonly outcome: 'ok' | 'failed' | 'ambiguous' | 'pending';
  readonly output?: Plain;
  readonly error?: string;
  readonly invokedAt: number;
  readonly completedAt?: number;
  /** Places in the order of the whole history. They decide what came before what: two times may be equal. */
  readonly invoked: number;
  readonly completed: number;
}

/** Pairs invocations with completions, in order of invocation. `completed` of what never completed is Infinity. */
export function operationsOf(events: readonly HistoryEvent[]): Operation[] {
  const operations = new Map<number, Operation>();
  for (const [place, event] of events.entries()) {
    if (event.type === 'invoked') {
      const { id, process, op, input, at } = event;
      const completed = Number.POSITIVE_INFINITY;
      operations.set(id, { id, process, op, input, outcome: 'pending', invokedAt: at, invoked: place, completed });
    } else if (event.type === 'ok' || event.type === 'failed' || event.type === 'ambiguous') {
      const operation = operations.get(event.id);
      if (operation === undefined) continue;
      operations.set(event.id, {
        ...operation,
        outcome: event.type,
        completedAt: event.at,
        // Nobody knows when an ambiguous operation takes effect, so it is never over.
        completed: event.type === 'ambiguous' ? Number.POSITIVE_INFINITY : place,
        ...(event.output === undefined ? {} : { output: event.output }),
        ...(event.error === undefined ? {} : { error: event.error }),
      });
    }
  }
  return [...operations.values()];
}

/** Whether it did something: its output is neither `false` nor has a field that is `false`, as in `{ applied: false }`. */
export function applied({ output }: Operation): boolean {
  if (typeof output !== 'object' || output === null) return output !== false;
  return !Object.values(output).includes(false);
}

/** Whether it is a read that found that there is nothing. */
export function foundNothing({ op, outcome, output = null }: Operation): boolean {
  return op === 'read' && outcome === 'ok' && output === null;
}

/** What the operation is about: the `key` of its input, 1 and "1" told apart; empty when it has none. */
export function keyOf(operation: Operation): string {
  const key = fieldOf(operation.input, 'key');
  return key === undefined || key === null ? '' : textOf(key);
}

/** The key for people: without quotes, unless it would then read as a number or as no key. */
export function shownKey(key: string): string {
  return /^"(?!-?\d)[^"\\]+"$/.test(key) ? key.slice(1, -1) : key;
}

/** One line for people: `write x 2 -> ok`. */
export function describe(operation: Operation): string {
  const { op, input, outcome, output, error } = operation;
  const ended = outcome === 'ok' ? (output === undefined ? 'ok' : short(output)) : outcome;
  return `${op}${inputText(input)} -> ${ended}${error === undefined ? '' : ` (${error})`}`;
}

function inputText(input: Plain): string {
  if (input === null) return '';
  if (typeof input !== 'object' || Array.isArray(input)) return ` ${short(input)}`;
  // The key and the value are plain to see, unless another value stands beside them.
  const bare = Object.hasOwn(input, 'expect') ? ['key'] : ['key', 'value'];
  return Object.entries(input)
    .map(([name, value]) => (bare.includes(name) ? ` ${short(value)}` : ` ${name}=${short(value)}`))
    .join('');
}

function short(value: Plain): string {
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0) {
    return inputText(value).trimStart();
  }
  const text = typeof value === 'string' && /^[\w./:-]+$/.test(value) ? value : textOf(value).replace(/(\d)n\b/g, '$1');
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
