import type { History } from '../history/history.ts';
import { applied, keyOf, type Operation } from '../history/operation.ts';
import { fieldOf } from '../history/plain.ts';
import { courseOf } from './course.ts';
import { bigintOf } from './model.ts';
import { counted, evidenceLines, startOf, type Verdict } from './verdict.ts';

export interface SessionOrderOptions {
  /** The operations that make a new version of their key, where they apply. Default write, set, cas, update, create and delete. */
  readonly writes?: readonly string[];
}

/**
 * No process sees time go backwards. Of two ok operations of one process, the first complete before the second began:
 * - with a `version` in both outputs, on the same key: that of the second is not lower (what was read stays read, what
 *   was written is read), and when the second writes it is higher. One that did not apply writes nothing: one whose
 *   output has a field that is `false`, as in `{ version, applied: false }`;
 * - with a `zxid` in both outputs, on whatever keys: that of the second is not lower.
 *
 * Any such pair that breaks this makes the history invalid; operations of one process that overlap are not compared. It is
 * `unknown` when there is no such pair.
 *
 * A version must belong to the key and never be reused (ZooKeeper: `mzxid`, not the `version` of a node that may be
 * created anew); a zxid must be that of the server's reply, not of the node read.
 */
export function sessionOrder(history: History, options: SessionOrderOptions = {}): Verdict {
  const { writes = ['write', 'set', 'cas', 'update', 'create', 'delete'] } = options;
  const check = 'session order';
  const start = startOf(history.events);
  const ok = history.operations.filter(({ outcome }) => outcome === 'ok');
  const versioned = ok.filter((operation) => outputNumber(operation, 'version') !== undefined);
  const stamped = ok.filter((operation) => outputNumber(operation, 'zxid') !== undefined);
  const judged = new Set([...versioned, ...stamped]);
  const processes = new Set([...judged].map(({ process }) => process));
  const size = `${counted(judged.size, 'operation')} of ${processes.size === 1 ? '1 process' : `${processes.size} processes`}`;
  const isWrite = (operation: Operation): boolean => writes.includes(operation.op) && applied(operation);
  const groups = [
    ...[...Map.groupBy(versioned, (operation) => JSON.stringify([operation.process, keyOf(operation)])).values()].map(
      (operations) => ({ field: 'version', operations, mayEqual: (_: Operation, later: Operation) => !isWrite(later) }),
    ),
    ...[...Map.groupBy(stamped, ({ process }) => process).values()].map((operations) => ({
      field: 'zxid',
      operations,
      mayEqual: () => true,
    })),
  ];
  let isJudged = false;
  for (const { field, operations, mayEqual } of groups) {
    const numberOf = (operation: Operation): bigint => outputNumber(operation, field) ?? 0n;
    const { isCompared, back } = courseOf(operations, numberOf, mayEqual);
    isJudged ||= isCompared;
    if (back === undefined) continue;
    const [earlier, later] = back;
    const same = numberOf(earlier) === numberOf(later);
    const what = same
      ? `wrote ${field} ${numberOf(later)}, which it had seen before`
      : `${isWrite(later) ? 'wrote' : 'saw'} ${field} ${numberOf(later)} after it had ${isWrite(earlier) ? 'written' : 'seen'} ${field} ${numberOf(earlier)}`;
    const evidence = { why: `${later.process} ${what}.`, lines: evidenceLines([earlier, later], start) };
    return { check, result: 'invalid', summary: `${later.process} went back in time (${size})`, evidence };
  }
  if (!isJudged) {
    const summary =
      'nothing to judge: no process had two outputs, one after the other, with a version of one key, or a zxid';
    return { check, result: 'unknown', summary };
  }
  return { check, result: 'valid', summary: size };
}

function outputNumber(operation: Operation, field: string): bigint | undefined {
  return bigintOf(fieldOf(operation.output, field));
}
