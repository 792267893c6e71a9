import { InvalidArgumentError } from '@quorate/core';
import type { History } from '../history/history.ts';
import { keyOf, type Operation, shownKey } from '../history/operation.ts';
import { Budget } from './budget.ts';
import { judge } from './judge.ts';
import type { Model } from './model.ts';
import { offendingPart, type Timed } from './shrink.ts';
import { counted, type Evidence, startOf, type Verdict } from './verdict.ts';

export interface LinearizableOptions {
  /** How long it may search, in milliseconds. Default 60 seconds. To make evidence short takes up to 5 seconds more. */
  readonly timeout?: number;
  /** About how much memory one key's search may take, in bytes. Default 1 GiB. */
  readonly memory?: number;
  /** Judges only these operations. Default: those the model knows. */
  readonly only?: (operation: Operation) => boolean;
}

/**
 * Whether there is one order of the operations, each taking effect at one moment between its invocation and its
 * completion, that the model allows. Each key is an object of its own. Failed operations did not happen. Ambiguous and
 * pending ones may take effect at any time after their invocation, or never.
 *
 * `valid` and `invalid` are certain; when time or memory runs out first, or no operation was ok, the verdict is `unknown`.
 */
export function linearizable<State, Call>(
  history: History,
  model: Model<State, Call>,
  { timeout = 60_000, memory = 2 ** 30, only = () => true }: LinearizableOptions = {},
): Verdict {
  if (!(timeout > 0)) throw new InvalidArgumentError('timeout', 'milliseconds above 0', timeout);
  if (!(memory > 0)) throw new InvalidArgumentError('memory', 'bytes above 0', memory);
  const check = `linearizable as a ${model.name}`;
  const deadline = performance.now() + timeout;
  const asked = history.operations.filter((operation) => model.operations.includes(operation.op) && only(operation));
  if (asked.length === 0) {
    return { check, result: 'unknown', summary: `nothing to judge: no ${model.operations.join(', ')} in the history` };
  }
  const judged = asked.filter(({ outcome }) => outcome !== 'failed');
  const keys = new Map<string, Timed<Call>[]>();
  for (const operation of judged) {
    const { invoked, completed } = operation;
    const timed = { call: model.call(operation), invoked, completed, operation };
    const calls = keys.get(keyOf(operation));
    if (calls === undefined) keys.set(keyOf(operation), [timed]);
    else calls.push(timed);
  }
  // What may never have taken effect can always be explained so.
  if (judged.every(({ outcome }) => outcome !== 'ok')) {
    const of = `${counted(asked.length, 'operation')} (${model.operations.join(', ')})`;
    return { check, result: 'unknown', summary: `nothing to judge: of ${of} none was ok` };
  }

  const invalid: { key: string; calls: Timed<Call>[]; blocked: number }[] = [];
  let waiting = [...keys];
  let spent: Budget['spent'];
  // Each key gets an equal share of the time at first, so that one hard key does not leave the others unjudged.
  for (const last of [false, true]) {
    const hard: typeof waiting = [];
    for (const [index, [key, calls]] of waiting.entries()) {
      const left = deadline - performance.now();
      const budget = new Budget({ milliseconds: last ? left : left / (waiting.length - index), bytes: memory });
      const found = judge(model, calls, budget);
      if (found.result === 'invalid') invalid.push({ key, calls, blocked: found.blocked });
      if (found.result === 'unknown') {
        hard.push([key, calls]);
        spent = budget.spent;
      }
    }
    waiting = hard;
  }

  const ambiguous = judged.filter(({ outcome }) => outcome === 'ambiguous' || outcome === 'pending').length;
  const size = `${counted(judged.length, 'operation')} on ${counted(keys.size, 'key')}, ${ambiguous} of them ambiguous`;
  if (invalid.length > 0) {
    const parts = invalid.slice(0, 5).map(({ key, calls, blocked }) => ({
      key,
      ...offendingPart(model, key, calls, blocked, {
        start: startOf(history.events),
        milliseconds: 1_000,
        bytes: memory,
      }),
    }));
    const [shortest] = parts.sort((a, b) => a.evidence.lines.length - b.evidence.lines.length);
    const { key, evidence } = shortest as { key: string; evidence: Evidence };
    const where = key === '' ? '' : ` on key ${shownKey(key)}`;
    const more = invalid.length === 1 ? '' : `, and on ${counted(invalid.length - 1, 'other key')}`;
    return { check, result: 'invalid', summary: `no order explains it${where}${more} (${size})`, evidence };
  }
  if (waiting.length > 0) {
    const why = spent === 'memory' ? `${Math.round(memory / 2 ** 20)} MiB` : `${timeout} ms`;
    return {
      check,
      result: 'unknown',
      summary: `not decided within ${why} on ${counted(waiting.length, 'key')} (${size})`,
    };
  }
  return { check, result: 'valid', summary: size };
}
