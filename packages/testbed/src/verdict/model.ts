import { InvalidArgumentError } from '@quorate/core';
import { describe, type Operation } from '../history/operation.ts';
import { fieldOf, type Plain } from '../history/plain.ts';
import type { TimedCall, Timeline } from './timeline.ts';

/**
 * What an object does when one operation at a time reaches it: the meaning against which a history is judged.
 * A model of your own needs `name`, `operations`, `initial`, `call`, `step` and `stateKey`; the rest helps.
 */
export interface Model<State, Call> {
  readonly name: string;
  /** The operations it is about; others in the history are not looked at. */
  readonly operations: readonly string[];
  readonly initial: State;
  /** Takes from an operation what `step` needs, once. Throws when the operation is not of the right shape. */
  call(operation: Operation): Call;
  /** The states in which the call may leave the object; none when it could not have happened, with this output, here. */
  step(state: State, call: Call): readonly State[];
  /** Equal for equal states. */
  stateKey(state: State): string;
  /** True for a call that never changes the state. */
  reads?(call: Call): boolean;
  /**
   * Groups of calls, by place in the list. Promise: take a group (or several) out of any sequence that the model allows
   * and the rest is still allowed. Evidence is made short with it. Default: each call that `reads` is a group.
   */
  separable?(calls: readonly Call[]): readonly (readonly number[])[];
  /**
   * Pairs of places, an effect and its cause: in no order that the model and the times allow does the first call happen
   * unless the second has happened before it. Makes the search shorter.
   */
  causes?(calls: readonly TimedCall<Call>[]): readonly (readonly [effect: number, cause: number])[];
  /** Looks ahead; undefined when there is nothing to know beforehand. Makes the search shorter. */
  outlook?(timeline: Timeline<Call>): Outlook<State> | undefined;
  /** A quick and certain answer, where one is known for calls such as these, to whether they are linearizable. */
  decide?(calls: readonly TimedCall<Call>[]): boolean | undefined;
  /** The state for people. */
  show(state: State): string;
}

/** What the calls to come allow. */
export interface Outlook<State> {
  /**
   * Whether one can get to the end from this state, when what completes before `stage` and the calls of the set `early`
   * have taken effect. False must be certain.
   */
  mayEnd(stage: number, early: bigint, state: State): boolean;
}

/** Whether the output is known: it is not for an operation that may never have completed. */
export function isKnown(operation: Operation): boolean {
  return operation.outcome === 'ok';
}

export function bigintOf(value: Plain | undefined): bigint | undefined {
  if (typeof value === 'bigint') return value;
  return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : undefined;
}

export function inputField(operation: Operation, name: string): Plain {
  const value = fieldOf(operation.input, name);
  if (value === undefined) throw unfit(operation, `an input with a field "${name}"`);
  return value;
}

/** The complaint about an operation the model cannot read. */
export function unfit(operation: Operation, expected: string): InvalidArgumentError {
  return new InvalidArgumentError(`operation ${operation.id} (${operation.process}: ${describe(operation)})`, expected);
}

/** Pairs each call that sees a value with the one call that made it; a value made twice, or given from the start, has none. */
export function solePairs<Call>(
  calls: readonly TimedCall<Call>[],
  makes: (call: Call) => string | undefined,
  sees: (call: Call) => string | undefined,
): [effect: number, cause: number][] {
  const makers = new Map<string, number | undefined>();
  for (const [place, { call }] of calls.entries()) {
    const made = makes(call);
    if (made !== undefined) makers.set(made, makers.has(made) ? undefined : place);
  }
  return calls.flatMap(({ call }, place): [number, number][] => {
    const maker = makers.get(sees(call) ?? '');
    return maker === undefined || maker === place ? [] : [[place, maker]];
  });
}

/** Each call of a kind as a group of its own. */
export function placesOf<Call>(calls: readonly Call[], ofKind: (call: Call) => boolean): number[][] {
  return calls.flatMap((call, place) => (ofKind(call) ? [[place]] : []));
}

/** The places of the calls with the same name, together; a call without a name stays out. */
export function groupsBy<Call>(calls: readonly Call[], name: (call: Call) => string | undefined): number[][] {
  const groups = new Map<string, number[]>();
  for (const [place, call] of calls.entries()) {
    const key = name(call);
    if (key === undefined) continue;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [place]);
    else group.push(place);
  }
  return [...groups.values()];
}
