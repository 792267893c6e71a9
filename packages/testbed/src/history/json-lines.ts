import { QuorateError } from '@quorate/core';
import type { HistoryEvent } from './event.ts';
import { fromJson, type Plain, toJson } from './plain.ts';

export interface LoadOptions {
  /** The most events taken. Default 5 million. */
  readonly limit?: number;
  /** The longest line taken, in characters. Default: any, since a history records values of any length. */
  readonly lineLimit?: number;
  /** Leaves out a last line without an end: what a process that was killed while it wrote leaves behind. */
  readonly torn?: boolean;
}

/** A line of a history file cannot be used. Says which, and why. */
export class HistoryLineError extends QuorateError {
  readonly line: number;

  constructor(line: number, why: string, cause?: unknown) {
    super(`line ${line}: ${why}`, { code: 'history-line', cause });
    this.line = line;
  }
}

export function eventToLine(event: HistoryEvent): string {
  return JSON.stringify(toJson(event as unknown as Plain));
}

/** Reads every line or none. */
export function linesToEvents(text: string, options: LoadOptions = {}): HistoryEvent[] {
  const { limit = 5_000_000, lineLimit = Number.POSITIVE_INFINITY, torn = false } = options;
  const events: HistoryEvent[] = [];
  const sequence = new Sequence();
  let start = 0;
  for (let line = 1; start < text.length; line += 1) {
    const end = text.indexOf('\n', start);
    if (end === -1 && torn) break;
    const stop = end === -1 ? text.length : end;
    if (stop - start > lineLimit) throw new HistoryLineError(line, `longer than ${lineLimit} characters`);
    const content = text.slice(start, stop).trim();
    start = stop + 1;
    if (content === '') continue;
    if (events.length >= limit) throw new HistoryLineError(line, `more than ${limit} events`);
    try {
      const event = parseEvent(fromJson(JSON.parse(content)));
      sequence.accept(event);
      events.push(event);
    } catch (error) {
      throw new HistoryLineError(line, error instanceof Error ? error.message : String(error), error);
    }
  }
  return events;
}

type Kind = 'text' | 'number' | 'id' | 'token' | 'names' | 'plain';

// Per type of event: its fields, a question mark behind those that may be missing.
const shapes: Record<HistoryEvent['type'], Record<string, Kind | `${Kind}?`>> = {
  invoked: { id: 'id', process: 'text', op: 'text', input: 'plain' },
  ok: { id: 'id', output: 'plain?', error: 'text?' },
  failed: { id: 'id', output: 'plain?', error: 'text?' },
  ambiguous: { id: 'id', output: 'plain?', error: 'text?' },
  fault: { id: 'id', kind: 'text', target: 'names', detail: 'plain?' },
  healed: { id: 'id' },
  held: { process: 'text', lease: 'text', token: 'token' },
  released: { process: 'text', lease: 'text', token: 'token', reason: 'text?' },
  sent: { message: 'text', from: 'text', to: 'text', label: 'text?' },
  received: { message: 'text' },
  note: { label: 'text', detail: 'plain?' },
};

const expected: Record<Kind, [what: string, test: (value: unknown) => boolean]> = {
  text: ['text', (value) => typeof value === 'string'],
  number: ['a number', (value) => typeof value === 'number' && Number.isFinite(value)],
  id: ['a whole number above 0', (value) => Number.isSafeInteger(value) && (value as number) > 0],
  token: ['a bigint', (value) => typeof value === 'bigint'],
  names: ['a list of names', (value) => Array.isArray(value) && value.every((name) => typeof name === 'string')],
  plain: ['plain data', () => true],
};

function parseEvent(value: Plain): HistoryEvent {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError('expected an object');
  const event = value as { readonly [name: string]: Plain };
  const type = event.type;
  if (typeof type !== 'string' || !Object.hasOwn(shapes, type)) {
    throw new TypeError(`type: expected one of ${Object.keys(shapes).join(', ')}`);
  }
  const shape: Record<string, string> = { at: 'number', ...shapes[type as HistoryEvent['type']] };
  for (const [name, kindText] of Object.entries(shape)) {
    const kind = kindText.replace('?', '') as Kind;
    if (!Object.hasOwn(event, name)) {
      if (kindText.endsWith('?')) continue;
      throw new TypeError(`${name}: expected ${expected[kind][0]}, got nothing`);
    }
    if (!expected[kind][1](event[name])) throw new TypeError(`${name}: expected ${expected[kind][0]}`);
  }
  for (const name of Object.keys(event)) {
    if (name !== 'type' && !Object.hasOwn(shape, name)) throw new TypeError(`${name}: not a field of ${type}`);
  }
  return event as unknown as HistoryEvent;
}

/** What must hold between the lines: time goes on, and nothing ends that has not begun, or ends twice. */
class Sequence {
  readonly #open = new Map<number, 'invoked' | 'fault' | 'over'>();
  #at = Number.NEGATIVE_INFINITY;

  accept(event: HistoryEvent): void {
    if (event.at < this.#at) throw new TypeError(`at: ${event.at} is before ${this.#at}, the line above`);
    this.#at = event.at;
    if (!('id' in event)) return;
    const was = this.#open.get(event.id);
    if (event.type === 'invoked' || event.type === 'fault') {
      if (was !== undefined) throw new TypeError(`id: ${event.id} is taken`);
      this.#open.set(event.id, event.type);
      return;
    }
    const begins = event.type === 'healed' ? 'fault' : 'invoked';
    if (was !== begins) throw new TypeError(`id: nothing with id ${event.id} is open that ${event.type} could end`);
    this.#open.set(event.id, 'over');
  }
}
