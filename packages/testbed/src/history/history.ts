import { readFile, writeFile } from 'node:fs/promises';
import { inspect } from 'node:util';
import { doubtful, InvalidArgumentError, isQuorateError, QuorateError } from '@quorate/core';
import { monotonicClock } from './clock.ts';
import { countsOf, type HistoryCounts } from './counts.ts';
import type { HistoryEvent } from './event.ts';
import { eventToLine, type LoadOptions, linesToEvents } from './json-lines.ts';
import { mergeEvents } from './merge.ts';
import { type Operation, operationsOf } from './operation.ts';
import { plain, plainBigint } from './plain.ts';

export interface HistoryOptions {
  /** Milliseconds that never go back. Default: the machine's monotonic clock, the same in all its processes. */
  readonly clock?: () => number;
  /** Called with each event as a line of JSON the moment it is recorded: what a process that is killed leaves behind. */
  readonly write?: (line: string) => void;
  /** How many events it takes before it refuses more. Default 5 million. */
  readonly limit?: number;
}

/** An operation under way. Completing it a second time is an error: the first word counts. */
export interface Invocation {
  readonly id: number;
  ok(output?: unknown): void;
  /** It certainly did not happen, and never will. When in doubt it is `ambiguous`. */
  failed(error?: unknown): void;
  /** It may have happened, may yet, or may never. */
  ambiguous(error?: unknown): void;
}

export interface RunOptions<Result> {
  /** What to record of the result; default all of it, which must then be plain data. */
  readonly output?: (result: Result) => unknown;
  /** Whether this error means that nothing happened. Decides alone. Default: an error that says `happened: 'no'`. */
  readonly failed?: (error: unknown) => boolean;
}

/** What processes asked for, what they were told, who held what and what was broken, in the order it happened. */
export class History {
  readonly #events: HistoryEvent[] = [];
  readonly #clock: () => number;
  readonly #write: ((line: string) => void) | undefined;
  readonly #limit: number;
  #lastId = 0;
  #lastAt = Number.NEGATIVE_INFINITY;

  constructor({ clock = monotonicClock, write, limit = 5_000_000 }: HistoryOptions = {}) {
    this.#clock = clock;
    this.#write = write;
    this.#limit = limit;
  }

  get events(): readonly HistoryEvent[] {
    return this.#events;
  }

  get operations(): Operation[] {
    return operationsOf(this.#events);
  }

  get counts(): HistoryCounts {
    return countsOf(this.#events, this.operations);
  }

  /** Call it before the request can have left the process, and complete it after the answer has come. */
  invoke(process: string, op: string, input?: unknown): Invocation {
    const id = this.#nextId();
    this.#add({ type: 'invoked', at: this.#now(), id, process, op, input: plain(input, 'input') });
    let open = true;
    const complete = (type: 'ok' | 'failed' | 'ambiguous', rest: { output?: unknown; error?: unknown }): void => {
      if (!open) throw new QuorateError(`${op} of ${process} was completed twice`, { code: 'completed-twice' });
      const output = rest.output === undefined ? {} : { output: plain(rest.output, 'output') };
      const error = rest.error === undefined ? {} : { error: errorText(rest.error) };
      open = false;
      this.#add({ type, at: this.#now(), id, ...output, ...error });
    };
    return {
      id,
      ok: (output) => complete('ok', { output }),
      failed: (error) => complete('failed', { error }),
      ambiguous: (error) => complete('ambiguous', { error }),
    };
  }

  /**
   * Records `work` as one operation and passes on what it returns or throws. After an error the operation is ambiguous,
   * unless the error, or `failed`, says that nothing happened: what one of several requests says may not hold for all.
   */
  async run<Result>(
    process: string,
    op: string,
    input: unknown,
    work: () => Result | Promise<Result>,
    { output = (result) => result, failed = nothingHappened }: RunOptions<Result> = {},
  ): Promise<Result> {
    const invocation = this.invoke(process, op, input);
    let result: Result;
    try {
      result = await work();
    } catch (error) {
      if (failed(error)) invocation.failed(error);
      else invocation.ambiguous(error);
      throw error;
    }
    try {
      invocation.ok(output(result));
    } catch (error) {
      // The work is done, whatever is wrong with its result: the operation stays open.
      throw doubtful(error);
    }
    return result;
  }

  /** Call it the moment the process may act as the holder; `released` the moment it must not, before it lets go. */
  held(process: string, lease: string, token: bigint): { released(reason?: string): void } {
    this.#add({ type: 'held', at: this.#now(), process, lease, token: plainBigint(token, 'token') });
    return { released: (reason) => this.released(process, lease, token, reason) };
  }

  released(process: string, lease: string, token: bigint, reason?: string): void {
    const why = reason === undefined ? {} : { reason };
    this.#add({ type: 'released', at: this.#now(), process, lease, token: plainBigint(token, 'token'), ...why });
  }

  /**
   * `kill` and `pause` of a process mean something to `check.exclusive`; other kinds are for the reader. Record a kill
   * once the process is gone, and a pause once it stands still (`standsStill`), and end that before it may continue: a
   * record that comes too early contradicts what the process still did, or hides a second holder.
   */
  fault(kind: string, target: string | readonly string[], detail?: unknown): { end(): void } {
    const id = this.#nextId();
    const targets = typeof target === 'string' ? [target] : [...target];
    const more = detail === undefined ? {} : { detail: plain(detail, 'detail') };
    this.#add({ type: 'fault', at: this.#now(), id, kind, target: targets, ...more });
    let over = false;
    return {
      end: () => {
        if (over) return;
        over = true;
        this.#add({ type: 'healed', at: this.#now(), id });
      },
    };
  }

  /** A message on its way. Across processes, agree on `id` and have the other side call `received(id)`. */
  message(from: string, to: string, label?: string, id?: string): { readonly id: string; received(): void } {
    const message = id ?? `${from}>${to}#${this.#nextId()}`;
    this.#add({ type: 'sent', at: this.#now(), message, from, to, ...(label === undefined ? {} : { label }) });
    return { id: message, received: () => this.received(message) };
  }

  received(message: string): void {
    this.#add({ type: 'received', at: this.#now(), message });
  }

  note(label: string, detail?: unknown): void {
    this.#add({
      type: 'note',
      at: this.#now(),
      label,
      ...(detail === undefined ? {} : { detail: plain(detail, 'detail') }),
    });
  }

  toJsonLines(): string {
    return this.#events.map((event) => `${eventToLine(event)}\n`).join('');
  }

  async save(file: string): Promise<void> {
    await writeFile(file, this.toJsonLines());
  }

  static fromJsonLines(text: string, options: LoadOptions = {}): History {
    return History.#of(linesToEvents(text, options));
  }

  static async load(file: string, options: LoadOptions = {}): Promise<History> {
    return History.fromJsonLines(await readFile(file, 'utf8'), options);
  }

  /** The histories of several processes of one machine as one, in order of time. */
  static merge(...histories: readonly History[]): History {
    return History.#of(mergeEvents(histories.map((history) => history.events)));
  }

  static #of(events: readonly HistoryEvent[]): History {
    const history = new History();
    for (const event of events) {
      history.#events.push(event);
      history.#lastAt = event.at;
      if ('id' in event) history.#lastId = Math.max(history.#lastId, event.id);
    }
    return history;
  }

  #nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  #now(): number {
    const at = this.#clock();
    if (!Number.isFinite(at)) throw new InvalidArgumentError('clock', 'a function that returns milliseconds', at);
    return Math.max(at, this.#lastAt);
  }

  #add(event: HistoryEvent): void {
    if (this.#events.length >= this.#limit) {
      throw new QuorateError(`the history is full: ${this.#limit} events; raise its limit, or start another one`, {
        code: 'history-full',
      });
    }
    this.#write?.(`${eventToLine(event)}\n`);
    this.#lastAt = event.at;
    this.#events.push(event);
  }
}

function nothingHappened(error: unknown): boolean {
  return isQuorateError(error) && error.happened === 'no';
}

function errorText(error: unknown): string {
  // Anything can be thrown, also what has no text.
  const thrown = error instanceof Error ? `${error.name}: ${error.message}` : error;
  const text = typeof thrown === 'string' ? thrown : inspect(thrown, { depth: 1 });
  return text.length > 500 ? `${text.slice(0, 497)}...` : text;
}
