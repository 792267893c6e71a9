import type { Operation } from '../history/operation.ts';
import { fieldOf, isList, textOf } from '../history/plain.ts';
import type { Judged } from './lost.ts';

/** Whether a set or list that is only added to lost a value, or has one that nobody added. */
export function lostValues(operations: readonly Operation[]): Judged {
  const asked = operations.flatMap((operation) => {
    const value = operation.op === 'add' ? fieldOf(operation.input, 'value') : undefined;
    return value === undefined ? [] : [{ operation, value: textOf(value) }];
  });
  const reads = operations.flatMap((operation) => {
    const { op, outcome, output } = operation;
    return op === 'read' && outcome === 'ok' && isList(output)
      ? [{ operation, values: new Set(output.map(textOf)) }]
      : [];
  });
  if (asked.length === 0) return { count: 0 };
  const adds = asked.filter(({ operation }) => operation.outcome !== 'failed');
  const all = adds.length + reads.length;
  const added = Map.groupBy(adds, ({ value }) => value);
  let judged = false;
  for (const { operation: read, values } of reads) {
    const before = adds.filter(({ operation }) => operation.completed < read.invoked);
    judged ||= before.length > 0;
    const missing = before.find(({ value }) => !values.has(value));
    if (missing !== undefined) {
      const why = `${missing.value} was added before this read began, and is not in what it returned.`;
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
