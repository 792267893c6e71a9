import type { History } from '../history/history.ts';
import { keyOf, type Operation } from '../history/operation.ts';
import { fieldOf, isList, textOf } from '../history/plain.ts';
import { bigintOf } from './model.ts';
import { counted, type Evidence, evidenceLines, startOf, type Verdict } from './verdict.ts';

export interface NoLostUpdatesOptions {
  /** The sum before the first `add {by}`. Default 0. */
  readonly initial?: bigint;
}

/**
 * Every update that was acknowledged is there afterwards. For each key, as far as the history has such operations:
 * - `add {key, by}` to a number, and `read`: a read returns at least what the adds that were ok before it began come to,
 *   and at most that with all others begun before it ended. If every `by` is above 0, no two adds return the same sum;
 * - `add {key, value}` to a set or list, and `read`: a read returns every value whose add was ok before it began, and
 *   no value that nobody had begun to add when it ended;
 * - any operation with a `version` in its input, which it expects: no two with the same one are ok.
 */
export function noLostUpdates(history: History, { initial = 0n }: NoLostUpdatesOptions = {}): Verdict {
  const check = 'no lost updates';
  const start = startOf(history.events);
  const operations = history.operations.filter(({ outcome }) => outcome !== 'failed');
  let judged = 0;
  for (const [key, ofKey] of Map.groupBy(operations, keyOf)) {
    for (const judge of [ofVersions, ofSums(initial), ofValues]) {
      const { count, lost } = judge(ofKey);
      judged += count;
      if (lost === undefined) continue;
      const where = key === '' ? '' : ` of key ${key}`;
      const evidence: Evidence = { why: lost.why, lines: evidenceLines(lost.operations, start) };
      return { check, result: 'invalid', summary: `${lost.summary}${where}`, evidence };
    }
  }
  if (judged === 0) {
    return {
      check,
      result: 'unknown',
      summary: 'nothing to judge: no read after an add, and no update with a version',
    };
  }
  return { check, result: 'valid', summary: counted(judged, 'operation') };
}

interface Judged {
  readonly count: number;
  readonly lost?: { readonly summary: string; readonly why: string; readonly operations: readonly Operation[] };
}

function ofVersions(operations: readonly Operation[]): Judged {
  const updates = operations.filter(
    ({ outcome, input, output }) =>
      outcome === 'ok' && bigintOf(fieldOf(input, 'version')) !== undefined && output !== false,
  );
  const first = new Map<bigint, Operation>();
  for (const update of updates) {
    const version = bigintOf(fieldOf(update.input, 'version')) ?? 0n;
    // ZooKeeper takes -1 for "whatever the version is".
    if (version < 0n) continue;
    const other = first.get(version);
    if (other !== undefined) {
      const why = `Both replaced version ${version}: the one that came first is lost.`;
      return {
        count: updates.length,
        lost: { summary: 'an update was overwritten', why, operations: [other, update] },
      };
    }
    first.set(version, update);
  }
  return { count: updates.length };
}

const ofSums =
  (initial: bigint) =>
  (operations: readonly Operation[]): Judged => {
    const adds = operations.flatMap((operation) => {
      const by = operation.op === 'add' ? bigintOf(fieldOf(operation.input, 'by')) : undefined;
      return by === undefined ? [] : [{ operation, by, sum: bigintOf(operation.output) }];
    });
    const reads = operations.flatMap((operation) => {
      const sum = operation.op === 'read' && operation.outcome === 'ok' ? bigintOf(operation.output) : undefined;
      return sum === undefined ? [] : [{ operation, sum }];
    });
    if (adds.length === 0) return { count: 0 };
    const returned = new Map<bigint, Operation>();
    for (const { operation, sum } of adds.every(({ by }) => by > 0n) ? adds : []) {
      if (sum === undefined || operation.outcome !== 'ok') continue;
      const other = returned.get(sum);
      if (other !== undefined) {
        const why = `Both adds came to ${sum}: one of them is lost.`;
        return { count: adds.length, lost: { summary: 'an add was lost', why, operations: [other, operation] } };
      }
      returned.set(sum, operation);
    }
    const done = totals(adds.map(({ operation, by }) => ({ at: operation.completed, by })));
    const begun = totals(adds.map(({ operation, by }) => ({ at: operation.invoked, by })));
    for (const { operation, sum } of reads) {
      // Certain before the read began, and begun before it ended: what lies between may count or not, by its sign.
      const certain = done(operation.invoked);
      const possible = begun(operation.completed);
      const least = initial + certain.up + possible.down;
      const most = initial + possible.up + certain.down;
      if (sum >= least && sum <= most) continue;
      const why =
        sum < least
          ? `The adds that were ok before this read began come to at least ${least}, and it returned ${sum}: ${least - sum} is lost.`
          : `All adds begun before this read ended come to ${most} at most, and it returned ${sum}.`;
      const summary = sum < least ? 'an add was lost' : 'more was read than added';
      return {
        count: adds.length + reads.length,
        lost: {
          summary,
          why,
          operations: lastFew(
            operation,
            adds.map((add) => add.operation),
          ),
        },
      };
    }
    return { count: reads.length === 0 && returned.size === 0 ? 0 : adds.length + reads.length };
  };

function ofValues(operations: readonly Operation[]): Judged {
  const adds = operations.flatMap((operation) => {
    const value = operation.op === 'add' ? fieldOf(operation.input, 'value') : undefined;
    return value === undefined ? [] : [{ operation, value: textOf(value) }];
  });
  const reads = operations.flatMap((operation) => {
    const { op, outcome, output } = operation;
    return op === 'read' && outcome === 'ok' && isList(output)
      ? [{ operation, values: new Set(output.map(textOf)) }]
      : [];
  });
  if (adds.length === 0 || reads.length === 0) return { count: 0 };
  const count = adds.length + reads.length;
  const added = Map.groupBy(adds, ({ value }) => value);
  for (const { operation: read, values } of reads) {
    const missing = adds.find(({ operation, value }) => operation.completed < read.invoked && !values.has(value));
    if (missing !== undefined) {
      const why = `${missing.value} was added before this read began, and is not in what it returned.`;
      return { count, lost: { summary: 'an add was lost', why, operations: [missing.operation, read] } };
    }
    for (const value of values) {
      if (added.get(value)?.some(({ operation }) => operation.invoked < read.completed) === true) continue;
      const why = `Nobody had begun to add ${value} when this read returned it.`;
      return { count, lost: { summary: 'a value appeared from nowhere', why, operations: [read] } };
    }
  }
  return { count };
}

/** The sum of the positive and of the negative parts of all that lies before a place. */
function totals(
  parts: readonly { readonly at: number; readonly by: bigint }[],
): (place: number) => { up: bigint; down: bigint } {
  const sorted = parts.toSorted((a, b) => a.at - b.at);
  const sums = [{ up: 0n, down: 0n }];
  for (const { by } of sorted) {
    const { up, down } = sums.at(-1) as { up: bigint; down: bigint };
    sums.push(by > 0n ? { up: up + by, down } : { up, down: down + by });
  }
  return (place) => {
    let from = 0;
    let to = sorted.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((sorted[middle]?.at ?? 0) < place) from = middle + 1;
      else to = middle;
    }
    return sums[from] as { up: bigint; down: bigint };
  };
}

/** A sum depends on all adds before it; the last few and the read are what fits on a page. */
function lastFew(read: Operation, adds: readonly Operation[]): Operation[] {
  return [...adds.filter(({ invoked }) => invoked < read.completed).slice(-5), read];
}
