import type { History, Operation, Verdict } from '@quorate/testbed';
import type { Row } from '../demo.ts';

/** A part of the history, from the note with its name to the next such note. */
interface Phase {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

export const noteOfPhase = 'phase';

/** What the writers were told in each phase, and what the auditor found of it. */
export function tableOf(history: History): Row[] {
  const found = new Set(history.operations.findLast(({ op }) => op === 'read')?.output as string[] | undefined);
  const isThere = ({ input }: Operation): boolean => found.has((input as { value: string }).value);
  return phasesOf(history).map((phase) => {
    const begun = writesOf(history).filter(({ invokedAt }) => invokedAt >= phase.from && invokedAt < phase.to);
    const count = (outcome: Operation['outcome']): number => begun.filter((write) => write.outcome === outcome).length;
    return {
      phase: phase.name,
      acknowledged: count('ok'),
      refused: count('failed'),
      'nobody can say': count('ambiguous'),
      'of these kept': begun.filter((write) => write.outcome === 'ambiguous' && isThere(write)).length,
      'longest silence': `${Math.round(longestSilence(history, phase))} ms`,
      lost: begun.filter((write) => write.outcome === 'ok' && !isThere(write)).length,
    };
  });
}

/** Nothing that was begun in a phase was acknowledged before it was over. */
export function nothingAcknowledgedIn(name: string, history: History): Verdict {
  const check = `nothing is acknowledged while ${name}`;
  const phase = phasesOf(history).find((one) => one.name === name);
  if (phase === undefined) return { check, result: 'unknown', summary: 'there was no such time' };
  const begun = writesOf(history).filter(({ invokedAt }) => invokedAt >= phase.from && invokedAt < phase.to);
  const wrong = begun.filter(({ outcome, completedAt = phase.to }) => outcome === 'ok' && completedAt < phase.to);
  const result = wrong.length > 0 ? 'invalid' : begun.length > 0 ? 'valid' : 'unknown';
  return { check, result, summary: `${wrong.length} of ${begun.length} writes acknowledged` };
}

function phasesOf({ events }: History): Phase[] {
  const notes = events.filter((event) => event.type === 'note' && event.label === noteOfPhase);
  const end = events.at(-1)?.at ?? 0;
  return notes.map((note, index) => ({
    name: String('detail' in note && note.detail),
    from: note.at,
    to: notes[index + 1]?.at ?? end,
  }));
}

/** The longest time within a phase in which no writer was told that its write is kept. */
function longestSilence(history: History, { from, to }: Phase): number {
  const times = writesOf(history)
    .filter(({ outcome }) => outcome === 'ok')
    .map(({ completedAt = to }) => completedAt)
    .filter((at) => at > from && at < to)
    .sort((a, b) => a - b);
  const moments = [from, ...times, to];
  return Math.max(...moments.slice(1).map((at, index) => at - (moments[index] ?? at)));
}

function writesOf(history: History): Operation[] {
  return history.operations.filter(({ op }) => op === 'add');
}
