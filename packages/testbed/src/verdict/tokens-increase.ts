import type { History } from '../history/history.ts';
import { applied, keyOf, type Operation, shownKey } from '../history/operation.ts';
import { fieldOf } from '../history/plain.ts';
import { holdingLine, holdingsOf } from './holding.ts';
import { bigintOf } from './model.ts';
import { counted, evidenceLines, startOf, type Verdict } from './verdict.ts';

/**
 * Tokens do what fencing needs. Of each lease: of two holdings, the one that began later in the history has the higher
 * token, or the same one if the holder is the same process. Of each key: once an operation with a token in its input
 * (`{key, token, …}`) was ok, no operation begun after that was ok with a lower one. `release` does not count: it carries
 * the token of its own lease. Nor does what was refused: an output, other than a `read`'s, that is `false` or has a field
 * that is `false`. `unknown` when nobody held a lease and no ok operation had a token.
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
  if (holdings.length + fenced.length === 0) {
    return { check, result: 'unknown', summary: 'nothing to judge: no lease was held and no operation had a token' };
  }
  const size = `${counted(holdings.length, 'holding')}, ${counted(fenced.length, 'fenced operation')}`;
  for (const [lease, ofLease] of Map.groupBy(holdings, (holding) => holding.lease)) {
    for (const [place, later] of ofLease.entries()) {
      const earlier = ofLease[place - 1];
      if (earlier === undefined || later.token > earlier.token) continue;
      if (later.token === earlier.token && later.process === earlier.process) continue;
      const why = `Token ${later.token} came after token ${earlier.token}: a store that knows the second refuses the holder of the first.`;
      const lines = [holdingLine(earlier, start), holdingLine(later, start)];
      const summary = `the tokens of ${lease} do not increase (${size})`;
      return { check, result: 'invalid', summary, evidence: { why, lines } };
    }
  }
  for (const [key, ofKey] of Map.groupBy(fenced, keyOf)) {
    const pair = wentBack(ofKey, (operation) => tokenOf(operation) ?? 0n);
    if (pair === undefined) continue;
    const [earlier, later] = pair;
    const why = `${later.process} was served with token ${tokenOf(later)} after token ${tokenOf(earlier)} had been seen: the store does not fence.`;
    const summary = `a former holder was served${key === '' ? '' : ` on key ${shownKey(key)}`} (${size})`;
    return { check, result: 'invalid', summary, evidence: { why, lines: evidenceLines([earlier, later], start) } };
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

/** An operation with a lower number than one that was complete before it began; the first such pair. */
export function wentBack(
  operations: readonly Operation[],
  numberOf: (operation: Operation) => bigint,
  mayEqual: (earlier: Operation, later: Operation) => boolean = () => true,
): [earlier: Operation, later: Operation] | undefined {
  const byCompletion = operations.toSorted((a, b) => a.completed - b.completed);
  const byInvocation = operations.toSorted((a, b) => a.invoked - b.invoked);
  let next = 0;
  let highest: Operation | undefined;
  for (const later of byInvocation) {
    for (; next < byCompletion.length; next += 1) {
      const earlier = byCompletion[next] as Operation;
      if (earlier.completed >= later.invoked) break;
      if (highest === undefined || numberOf(earlier) >= numberOf(highest)) highest = earlier;
    }
    if (highest === undefined) continue;
    const difference = numberOf(later) - numberOf(highest);
    if (difference < 0n || (difference === 0n && !mayEqual(highest, later))) return [highest, later];
  }
  return undefined;
}
