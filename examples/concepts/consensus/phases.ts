import type { History, Operation, Verdict } from '@quorate/testbed';
import type { Row } from '../demo.ts';

/** A part of the history, from the note with its name to the next such note. */
export interface Phase {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  /** The writes that ended in it, whenever they began: a writer knows what became of a write when it ends. */
  readonly writes: readonly Operation[];
}

export const noteOfPhase = 'phase';

/** What the writers were told in each phase, and what the auditor found of it. The last line is the sum. */
export function tableOf(history: History): Row[] {
  const found = entriesFound(history);
  const phases = phasesOf(history);
  const silences = phases.map(longestSilence);
  const all = { name: 'in all', writes: phases.flatMap(({ writes }) => writes) };
  return [...phases, all].map((part, index) => {
    const { acknowledged, refused, unknown } = outcomesOf(part.writes);
    return {
      phase: part.name,
      acknowledged: acknowledged.length,
      refused: refused.length,
      unknown: unknown.length,
      'unknown but kept': unknown.filter((write) => found.has(entryOf(write))).length,
      'longest silence': `${Math.round(silences[index] ?? Math.max(...silences))} ms`,
      lost: acknowledged.filter((write) => !found.has(entryOf(write))).length,
    };
  });
}

/** Acknowledged: it is kept. Refused: it certainly is not. Unknown: the reply was lost, or did not come in time. */
export function outcomesOf(writes: readonly Operation[]): Record<'acknowledged' | 'refused' | 'unknown', Operation[]> {
  const ended = (outcome: Operation['outcome']): Operation[] => writes.filter((write) => write.outcome === outcome);
  return { acknowledged: ended('ok'), refused: ended('failed'), unknown: ended('ambiguous') };
}

/** No write was acknowledged in that phase. */
export function nothingAcknowledgedIn(name: string, history: History): Verdict {
  const check = `nothing is acknowledged while ${name}`;
  const phase = phasesOf(history).find((one) => one.name === name);
  if (phase === undefined) return { check, result: 'unknown', summary: 'there was no such phase' };
  const wrong = outcomesOf(phase.writes).acknowledged.length;
  const result = wrong > 0 ? 'invalid' : phase.writes.length > 0 ? 'valid' : 'unknown';
  return { check, result, summary: `${wrong} of ${phase.writes.length} writes acknowledged` };
}

export function phasesOf({ events, operations }: History): Phase[] {
  const writes = new Map(operations.filter(({ op }) => op === 'add').map((write) => [write.id, write]));
  const phases: { name: string; from: number; to: number; writes: Operation[] }[] = [];
  for (const event of events) {
    const phase = phases.at(-1);
    const isBegin = event.type === 'note' && event.label === noteOfPhase;
    const ended = event.type === 'ok' || event.type === 'failed' || event.type === 'ambiguous';
    const write = ended ? writes.get(event.id) : undefined;
    if (write) phase?.writes.push(write);
    if (phase && (isBegin || write)) phase.to = event.at;
    if (isBegin) phases.push({ name: String(event.detail), from: event.at, to: event.at, writes: [] });
  }
  return phases;
}

/** What the auditor read at the end. */
export function entriesFound({ operations }: History): ReadonlySet<string> {
  return new Set(operations.findLast(({ op }) => op === 'read')?.output as string[] | undefined);
}

export function entryOf({ input }: Operation): string {
  return (input as { readonly value: string }).value;
}

/** The longest time within a phase in which no writer was told that its write is kept. */
function longestSilence(phase: Phase): number {
  const times = outcomesOf(phase.writes).acknowledged.map(({ completedAt = phase.to }) => completedAt);
  const moments = [phase.from, ...times, phase.to];
  return Math.max(...moments.slice(1).map((at, index) => at - (moments[index] ?? at)));
}
