import { InvalidArgumentError } from '@quorate/core';
import type { History } from '../history/history.ts';
import { describe, type Operation } from '../history/operation.ts';
import { holdingsOf } from '../verdict/holding.ts';
import type { EvidenceLine } from '../verdict/verdict.ts';

export interface SceneOptions {
  /** The processes to draw, from the top. Default: all, in order of appearance. */
  readonly processes?: readonly string[];
  /** Draws only what happens from here, in milliseconds since the history began. */
  readonly from?: number;
  /** Draws only what happens up to here. */
  readonly to?: number;
  /** The most operations drawn, and the most messages: a picture of more is not read by anyone. Default 300. */
  readonly limit?: number;
  /** Drawn whatever the limit; a history too long to draw is cut down to the time around it. */
  readonly evidence?: readonly EvidenceLine[];
}

export interface Span {
  readonly process: string;
  readonly from: number;
  /** Missing: past the end of the picture. */
  readonly to?: number;
}

export interface OperationSpan extends Span {
  readonly id: number;
  readonly label: string;
  readonly outcome: Operation['outcome'];
}

export interface HoldingSpan extends Span {
  readonly lease: string;
  readonly token: string;
  readonly label: string;
}

export interface FaultSpan extends Span {
  readonly label: string;
}

export interface MessageArrow {
  readonly from: string;
  readonly to: string;
  readonly sentAt: number;
  /** Missing: it never arrived. */
  readonly receivedAt?: number;
  readonly label?: string;
}

/** What there is to draw, with times in milliseconds since the history began, before any place is chosen for it. */
export interface Scene {
  readonly processes: readonly string[];
  readonly operations: readonly OperationSpan[];
  readonly holdings: readonly HoldingSpan[];
  readonly faults: readonly FaultSpan[];
  readonly messages: readonly MessageArrow[];
  readonly from: number;
  readonly to: number;
  /** How many operations and messages in the time shown were left out. */
  readonly omitted: number;
}

export function sceneOf(history: History, options: SceneOptions = {}): Scene {
  const { limit = 300, evidence = [] } = options;
  const { events } = history;
  const all = history.operations;
  if (!(limit >= 1)) throw new InvalidArgumentError('limit', 'a number of at least 1', limit);
  const start = events[0]?.at ?? 0;
  const whole = { from: 0, to: (events.at(-1)?.at ?? start) - start };
  const focus = all.length > limit && evidence.length > 0 ? around(evidence, whole) : whole;
  const first = options.from ?? focus.from;
  let last = options.to ?? Math.max(focus.to, first);
  if (!(first <= last))
    throw new InvalidArgumentError('from, to', 'times in milliseconds, the smaller first', [first, last]);
  const chosen = options.processes === undefined ? undefined : new Set(options.processes);
  const isShown = ({ process, from, to = Number.POSITIVE_INFINITY }: Span): boolean =>
    from <= last && to >= first && (chosen?.has(process) ?? true);
  const span = (process: string, from: number, to: number | undefined): Span => ({
    process,
    from: from - start,
    ...(to === undefined ? {} : { to: to - start }),
  });

  const inTime = all
    .map((operation): OperationSpan => {
      const { id, process, invokedAt, completedAt, outcome } = operation;
      return { id, ...span(process, invokedAt, completedAt), outcome, label: labelOf(operation) };
    })
    .filter(isShown);
  const kept = new Set(evidence.map(({ operation }) => operation));
  const operations = inTime.filter(({ id }, place) => place < limit || kept.has(id));
  // What comes after the last operation drawn would stand in an empty picture.
  if (operations.length < inTime.length)
    last = Math.min(last, Math.max(...operations.map(({ from, to = from }) => to)));

  const holdings = holdingsOf(events)
    .map(({ process, lease, token, from, to }): HoldingSpan => {
      return { ...span(process, from, to), lease, token: `${token}`, label: `${lease} · token ${token}` };
    })
    .filter(isShown);
  const ends = new Map(events.flatMap((event) => (event.type === 'healed' ? [[event.id, event.at]] : [])));
  const faults = events
    .flatMap((event): FaultSpan[] => {
      if (event.type !== 'fault') return [];
      return event.target.map((process) => ({ ...span(process, event.at, ends.get(event.id)), label: event.kind }));
    })
    .filter(isShown);
  const arrivals = new Map(events.flatMap((event) => (event.type === 'received' ? [[event.message, event.at]] : [])));
  const messages = events.flatMap((event): MessageArrow[] => {
    if (event.type !== 'sent') return [];
    const { from, to, label } = event;
    const sentAt = event.at - start;
    const arrival = arrivals.get(event.message);
    const shown = [from, to].every((process) => chosen?.has(process) ?? true) && sentAt >= first && sentAt <= last;
    const received = arrival === undefined ? {} : { receivedAt: arrival - start };
    return shown ? [{ from, to, sentAt, ...received, ...(label === undefined ? {} : { label }) }] : [];
  });

  const named = new Set<string>();
  for (const event of events) {
    if (event.type === 'invoked' || event.type === 'held') named.add(event.process);
    if (event.type === 'sent') named.add(event.from).add(event.to);
    if (event.type === 'fault') for (const target of event.target) named.add(target);
  }
  const processes = options.processes ?? [...named];
  const omitted = inTime.length - operations.length + Math.max(0, messages.length - limit);
  return {
    processes,
    operations,
    holdings,
    faults,
    messages: messages.slice(0, limit),
    from: first,
    to: last,
    omitted,
  };
}

function around(evidence: readonly EvidenceLine[], whole: { from: number; to: number }): { from: number; to: number } {
  const from = Math.min(...evidence.map((line) => line.from));
  const to = Math.max(...evidence.map((line) => Math.min(line.to ?? line.from, whole.to)));
  const room = Math.max(to - from, 1e-3) * 0.5;
  return { from: Math.max(whole.from, from - room), to: Math.min(whole.to, to + room) };
}

function labelOf(operation: Operation): string {
  const text = operation.outcome === 'ok' ? describe(operation) : describe(operation).replace(/ -> .*$/s, '');
  // That it went well is told by its colour and mark.
  const label = text.replace(/ -> ok$/, '').replace(' -> ', ' → ');
  return label.length > 40 ? `${label.slice(0, 39)}…` : label;
}
