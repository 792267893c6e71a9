import { foundNothing, type Operation } from '../history/operation.ts';
import { fieldOf, isList, type Plain, textOf } from '../history/plain.ts';
import { Deletes } from './deletes.ts';
import type { Judged } from './lost.ts';

/** Whether a set or list that is only added to lost a value, or has one that nobody added. */
export function lostValues(operations: readonly Operation[]): Judged {
  const asked = operations.flatMap((operation) => {
    const value = operation.op === 'add' ? fieldOf(operation.input, 'value') : undefined;
    return value === undefined ? [] : [{ operation, value: textOf(value) }];
  });
  const reads = operations.flatMap((operation) => {
    const values = valuesIn(operation);
    return values === undefined ? [] : [{ operation, values: new Set(values.map(textOf)) }];
  });
  if (asked.length === 0) return { count: 0 };
  const adds = asked.filter(({ operation }) => operation.outcome !== 'failed');
  const all = adds.length + reads.length;
  const added = Map.groupBy(adds, ({ value }) => value);
  const deletes = new Deletes(operations);
  let judged = false;
  for (const { operation: read, values } of reads) {
    const over = deletes.overBefore(read.completed);
    const before = adds.filter(({ operation }) => over < operation.invoked && operation.completed < read.invoked);
    judged ||= before.length > 0;
    const missing = before.find(({ value }) => !values.has(value));
    if (missing !== undefined) {
      const where = foundNothing(read) ? 'it returned nothing' : 'is not in what it returned';
      const why = `${missing.value} was added before this read began, and ${where}.`;
      return { count: all, lost: { summary: 'an add was lost', why, operations: [missing.operation, read] } };
    }
    for (const value of values) {
      if (added.get(value)?.some(({ operation }) => operation.invoked < read.completed) === true) continue;
      const why = `No add of ${value} had begun when this read returned it.`;
      return { count: all, lost: { summary: 'a value was read that was never added', why, operations: [read] } };
    }
  }
  return { count: judged ? all : 0 };
}

function valuesIn(operation: Operation): readonly Plain[] | undefined {
  const { op, outcome, output } = operation;
  if (op !== 'read' || outcome !== 'ok') return undefined;
  if (foundNothing(operation)) return [];
  return isList(output) ? output : undefined;
}
