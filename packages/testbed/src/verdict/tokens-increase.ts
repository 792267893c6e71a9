import type { History } from '../history/history.ts';
import { applied, keyOf, type Operation, shownKey } from '../history/operation.ts';
import { fieldOf } from '../history/plain.ts';
import { courseOf } from './course.ts';
import { holdingLine, holdingsOf } from './holding.ts';
import { bigintOf } from './model.ts';
import { counted, evidenceLines, startOf, type Verdict } from './verdict.ts';

/**
 * Tokens do what fencing needs. Of each lease: of two holdings, the one that began later in the history has the higher
 * token, or the same one if the holder is the same process. Of each key: once an operation with a token in its input
 * (`{key, token, …}`) was ok, no operation begun after that was ok with a lower one. `release` does not count: it carries
 * the token of its own lease. Nor does what was refused: an output, other than a `read`'s, that is `false` or has a field
 * that is `false`. `unknown` when there was nothing to compare: no lease was held twice, and no key had two such operations,
 * one after the other.
 *
 * It does not prove that no update is lost. Two holders read, the older writes, then the newer: the tokens increase, and
 * the older one's update is gone. So the token must go with the read that a write depends on, and the store must refuse
 * older ones from that read on. Record such reads with their token as well, and this check sees it; and judge the same
 * history with `noLostUpdates`.
 */
export function tokensIncrease(history: History): Verdict {
  const check = 'tokens increase';
  const start = startOf(history.events);
  const holdings = holdingsOf(history.events);
  const fenced = history.operations.filter(
    (operation) => operation.outcome === 'ok' && isServed(operation) && tokenOf(operation) !== undefined,
  );
  const size = `${counted(holdings.length, 'holding')}, ${counted(fenced.length, 'fenced operation')}`;
  let isJudged = false;
  for (const [lease, ofLease] of Map.groupBy(holdings, (holding) => holding.lease)) {
    for (const [place, later] of ofLease.entries()) {
      const earlier = ofLease[place - 1];
      if (earlier === undefined) continue;
      isJudged = true;
      if (later.token > earlier.token) continue;
      if (later.token === earlier.token && later.process === earlier.process) continue;
      const why = `Token ${later.token} came after token ${earlier.token}: a store that knows the second refuses the holder of the first.`;
      const lines = [holdingLine(earlier, start), holdingLine(later, start)];
      const summary = `the tokens of ${lease} do not increase (${size})`;
      return { check, result: 'invalid', summary, evidence: { why, lines } };
    }
  }
  for (const [key, ofKey] of Map.groupBy(fenced, keyOf)) {
    const { isCompared, back } = courseOf(ofKey, (operation) => tokenOf(operation) ?? 0n);
    isJudged ||= isCompared;
    if (back === undefined) continue;
    const [earlier, later] = back;
    const why = `${later.process} was served with token ${tokenOf(later)} after token ${tokenOf(earlier)} had been seen: the store does not fence.`;
    const summary = `a former holder was served${key === '' ? '' : ` on key ${shownKey(key)}`} (${size})`;
    return { check, result: 'invalid', summary, evidence: { why, lines: evidenceLines([earlier, later], start) } };
  }
  if (!isJudged) {
    const summary = 'nothing to judge: no lease was held twice, and no key had two tokens, one after the other';
    return { check, result: 'unknown', summary };
  }
  return { check, result: 'valid', summary: size };
}

function isServed(operation: Operation): boolean {
  // A read of a value that is false was served.
  return operation.op === 'read' || applied(operation);
}

function tokenOf(operation: Operation): bigint | undefined {
  return operation.op === 'release' ? undefined : bigintOf(fieldOf(operation.input, 'token'));
}
