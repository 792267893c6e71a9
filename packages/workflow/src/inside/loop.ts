import { checkNames, InvalidArgumentError } from '@quorate/core';
import { allHandlersFinished, condition, continueAsNew, workflowInfo } from '@temporalio/workflow';
import { refusing } from './refusal.ts';

export interface LoopOptions<State> {
  /** What the next run is started with. Default: the state alone. */
  readonly args?: (state: State) => readonly unknown[];
  /** A run is continued as a new one after so many events. Default 10,000, or sooner where the server asks for it. */
  readonly events?: number;
}

/** What ends a loop. */
class Stop<Result> {
  readonly result: Result;

  constructor(result: Result) {
    this.result = result;
  }
}

/** Ends a loop: `return stop(result)`. */
export function stop(): Stop<void>;
export function stop<Result>(result: Result): Stop<Result>;
export function stop<Result>(result?: Result): Stop<Result | undefined> {
  return new Stop(result);
}

export type { Stop };

/**
 * Does round after round, for however long: before its history gets too long the run is continued as a new one, which is started with the state.
 *
 *     export async function meter(state: Meter) {
 *       return await loop(state, async (state) => (state.left === 0 ? stop(state.sum) : await read(state)));
 *     }
 *
 * Hazards: of a run only the state goes into the next one, so what handlers of signals have noted belongs into it. A saga has to be kept or undone within its round. Keys of steps are others in the next run.
 */
export async function loop<State, Result>(
  state: State,
  round: (state: State) => Promise<State | Stop<Result>>,
  options: LoopOptions<State> = {},
): Promise<Result> {
  const { args, events } = checkOptions(options);
  for (let now = state; ; ) {
    const next = await round(now);
    if (next instanceof Stop) return next.result;
    now = next;
    const { continueAsNewSuggested, historyLength } = workflowInfo();
    if (!continueAsNewSuggested && historyLength < events) continue;
    // What a handler has begun would be lost with this run.
    await condition(allHandlersFinished);
    await continueAsNew(...args(now));
  }
}

function checkOptions<State>(options: LoopOptions<State>): Required<LoopOptions<State>> {
  return refusing(() => {
    checkNames('options', options, ['args', 'events']);
    const { args = (state: State) => [state], events = 10_000 } = options;
    if (typeof args !== 'function') throw new InvalidArgumentError('args', 'a function of the state', args);
    if (!(Number.isInteger(events) && events >= 10 && events <= 50_000))
      throw new InvalidArgumentError('events', 'a whole number from 10 to 50000', events);
    return { args, events };
  });
}
