import type { HistoryEvent } from '../history/event.ts';
import { describe, type Operation } from '../history/operation.ts';

/** One thing that happened, told so that both a person and a program can use it. Times are in milliseconds. */
export interface EvidenceLine {
  readonly process: string;
  readonly what: string;
  /** Since the start of the history. */
  readonly from: number;
  /** Missing: it never ended. */
  readonly to?: number;
  /** The id of the operation in the history; a picture marks it. */
  readonly operation?: number;
  /** The lease and token, when the line is about a holding. */
  readonly holding?: { readonly lease: string; readonly token: string };
}

/** The shortest part of the history that shows what went wrong. */
export interface Evidence {
  /** Why these lines cannot be: one or two sentences. */
  readonly why: string;
  readonly lines: readonly EvidenceLine[];
}

/** What a check found. Plain data: `JSON.stringify` takes it as it is. */
export interface Verdict {
  readonly check: string;
  /** `unknown`: the check ran out of time or memory, or the history had nothing to judge. It is never a guess. */
  readonly result: 'valid' | 'invalid' | 'unknown';
  readonly summary: string;
  readonly evidence?: Evidence;
}

/** The verdict for people, with its evidence drawn up as a table. */
export function verdictText(verdict: Verdict): string {
  const { check, result, summary, evidence } = verdict;
  const title = `${result.toUpperCase()}  ${check}: ${summary}`;
  if (evidence === undefined) return title;
  const rows = evidence.lines.map(({ process, from, to, what }) => [
    `${from.toFixed(2)} ms`,
    to === undefined ? 'never ended' : `${to.toFixed(2)} ms`,
    process,
    what,
  ]);
  const table = [['from', 'to', 'process', ''], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const lines = table.map(([from = '', to = '', process = '', what = '']) =>
    `  ${from.padStart(widths[0] ?? 0)}  ${to.padStart(widths[1] ?? 0)}  ${process.padEnd(widths[2] ?? 0)}  ${what}`.trimEnd(),
  );
  return [title, '', ...lines, '', `  ${evidence.why}`].join('\n');
}

/** Turns operations into lines of evidence, in order of invocation. */
export function evidenceLines(operations: readonly Operation[], start: number): EvidenceLine[] {
  return operations
    .toSorted((a, b) => a.invoked - b.invoked)
    .map((operation) => ({
      process: operation.process,
      what: describe(operation),
      from: rounded(operation.invokedAt - start),
      ...(operation.completedAt === undefined ? {} : { to: rounded(operation.completedAt - start) }),
      operation: operation.id,
    }));
}

/** When the history begins, on its own clock. */
export function startOf(events: readonly HistoryEvent[]): number {
  return events[0]?.at ?? 0;
}

/** Nanoseconds: finer than the clock, and a duration of a day still fits. */
export function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 1e6) / 1e6;
}

/** `1 operation`, `2 operations`. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`;
}
