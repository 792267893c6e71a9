import type { History } from '../history/history.ts';
import { keyOf, shownKey } from '../history/operation.ts';
import { lostSums } from './lost-sums.ts';
import { lostValues } from './lost-values.ts';
import { lostVersions } from './lost-versions.ts';
import { counted, type Evidence, evidenceLines, startOf, type Verdict } from './verdict.ts';

export interface NoLostUpdatesOptions {
  /** The sum before the first `add {by}`. Default 0. */
  readonly initial?: bigint;
}

/**
 * Every update that was acknowledged is there afterwards. Each key is judged on its own, for what its operations show;
 * failed ones did not happen.
 *
 * - A number that nothing but `add {key, by}` changes: where there is one, of whatever outcome. A `read` that returns it, and
 *   an `add` that returns the sum it came to, return at least the least and at most the most that can be there: every add that
 *   was ok before it began counts, and its own; any other that began before it ended may count or not. And if no `by` is below
 *   0: of two ok adds above 0 that return their sums, the steps from `sum - by` to `sum` do not overlap.
 * - A set or list that nothing but `add {key, value}` changes: where there is one. A `read` returns every value whose add was ok
 *   before it began, and no value that nobody had begun to add when it ended.
 * - To both: a `read` that returns nothing (`null`, or no output) after an add that was ok says 0, or an empty list. And a
 *   `delete {key}` explains a loss: of what was told after it began, an add that did not begin after it had ended may count or
 *   not, and so may the sum before the first add; and where there is one, no steps are compared.
 * - Whatever has a `version` of 0 or more in its input, which it expects to replace. No two with the same version are ok
 *   (one whose output is `false`, or has a field that is `false`, did not apply), unless the key may have been made anew,
 *   with new versions, in between: a `delete` other than these two was under way at some time from the begin of the first to
 *   the end of the last. A `delete` may have the version of an operation that may have come after it.
 *
 * These rules find no loss where there is none. They do not find every one: versions are compared two by two, sums with
 * bounds. `linearizable` looks at all orders.
 *
 * `unknown` when nothing could have shown a loss: on no key was a sum, a list or nothing returned to what began after an add
 * that had to count, or two ok adds above 0 with their sums that are compared, or two ok operations with a version.
 */
export function noLostUpdates(history: History, { initial = 0n }: NoLostUpdatesOptions = {}): Verdict {
  const check = 'no lost updates';
  const start = startOf(history.events);
  let judged = 0;
  for (const [key, ofKey] of Map.groupBy(history.operations, keyOf)) {
    for (const { count, lost } of [lostVersions(ofKey), lostSums(ofKey, initial), lostValues(ofKey)]) {
      judged += count;
      if (lost === undefined) continue;
      const where = key === '' ? '' : ` of key ${shownKey(key)}`;
      const evidence: Evidence = { why: lost.why, lines: evidenceLines(lost.operations, start) };
      return { check, result: 'invalid', summary: `${lost.summary}${where}`, evidence };
    }
  }
  if (judged === 0) {
    const summary = 'nothing to judge: no read after an add that was ok, no two adds with their sums, no two versions';
    return { check, result: 'unknown', summary };
  }
  return { check, result: 'valid', summary: counted(judged, 'operation') };
}
