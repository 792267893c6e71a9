import type { CounterCall } from './counter-call.ts';
import type { Outlook } from './model.ts';
import type { Required, Timeline } from './timeline.ts';

/** What a call that returned a sum needs. */
interface Limit {
  /** The sum it must find. */
  readonly finds: bigint;
  /** The first stage at which it is open: what completes before has been added by then. */
  readonly from: number;
}

/**
 * Where no add takes anything away a sum never shrinks. So each call that returned one, and has not taken effect yet, is
 * a limit: what has been added, and what will have been by the time it begins, cannot be more than it found. A state that
 * is beyond one leads nowhere, long before a search would notice.
 */
export function counterOutlook(
  initial: bigint,
  { required, open, optional, stageOf }: Timeline<CounterCall>,
): Outlook<bigint> | undefined {
  const amounts = required.map(({ call }) => amountOf(call));
  if ([...amounts, ...optional.map(({ call }) => amountOf(call))].some((amount) => amount < 0n)) return undefined;
  const before = [initial];
  for (const [stage, amount] of amounts.entries()) before.push((before[stage] as bigint) + amount);
  const opened = required.map((_, stage) => stage);
  for (const [stage, calls] of open.entries()) {
    for (const { place } of calls) {
      const due = stageOf.get(place) as number;
      opened[due] = Math.min(opened[due] as number, stage);
    }
  }
  const limits = required.map(({ call }, stage): Limit | undefined =>
    call.output === undefined ? undefined : { finds: call.output - amountOf(call), from: opened[stage] as number },
  );
  // By the stage at which they open: how much of what may have happened can have, at most, from there on.
  const spare: (bigint | undefined)[] = [];
  for (const limit of limits) {
    if (limit === undefined) continue;
    spare[limit.from] = least(spare[limit.from], limit.finds - (before[limit.from] as bigint));
  }
  for (let stage = required.length - 1; stage >= 0; stage -= 1) spare[stage] = least(spare[stage], spare[stage + 1]);

  const mayEnd = (stage: number, early: bigint, state: bigint): boolean => {
    let added = 0n;
    let furthest = stage;
    const done: { readonly due: number; readonly amount: bigint }[] = [];
    const isOver = ({ place, bit }: Required<CounterCall>): boolean => {
      const due = stageOf.get(place) as number;
      if ((early & bit) === 0n) return state > (limits[due]?.finds ?? state);
      const amount = amounts[due] as bigint;
      added += amount;
      if (amount > 0n) {
        done.push({ due, amount });
        furthest = Math.max(furthest, due);
      }
      return false;
    };
    const due = required[stage];
    if (due === undefined) return true;
    if (isOver(due)) return false;
    for (const call of open[stage] as Required<CounterCall>[]) if (isOver(call)) return false;
    const used = state - added - (before[stage] as bigint);
    const most = spare[stage + 1];
    if (most !== undefined && used > most) return false;
    // What has been added early and completes only after a call has begun counts for that call as well.
    for (let later = stage + 1; later < required.length; later += 1) {
      const limit = limits[later];
      if (limit === undefined || limit.from <= stage) continue;
      if (limit.from > furthest) break;
      let sum = used + (before[limit.from] as bigint);
      for (const { due, amount } of done) if (due >= limit.from) sum += amount;
      if (sum > limit.finds) return false;
    }
    return true;
  };
  return { mayEnd };
}

function amountOf(call: CounterCall): bigint {
  return call.op === 'add' ? call.by : 0n;
}

function least(one: bigint | undefined, other: bigint | undefined): bigint | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return one < other ? one : other;
}
