import type { Budget } from './budget.ts';
import type { Model, Outlook } from './model.ts';
import { type Optional, type Required, type TimedCall, type Timeline, timelineOf } from './timeline.ts';

export type SearchResult<State> =
  | { readonly result: 'valid' | 'unknown' }
  /** No order of calls gets past `blocked`, a place in the list; the states are all it can have found. */
  | { readonly result: 'invalid'; readonly blocked: number; readonly states: readonly State[] };

/**
 * Where a search is: every call that completes before `stage` has taken effect, and so have those in `early`, which
 * are still open, and those in `used`, which need never take effect. Both are sets of bits.
 */
interface Configuration {
  readonly stage: number;
  readonly early: bigint;
  readonly used: bigint;
  readonly state: number;
}

interface Frame extends Configuration {
  readonly todo: Configuration[];
  /** Which way on to look at next. */
  next: number;
}

/**
 * Looks for an order in which the calls can have taken effect one at a time, in the manner of Wing and Gong with Lowe's
 * two improvements: configurations are remembered, and a call takes effect as late as it can, just before some call
 * completes. So the search goes from one completion (a stage) to the next, depth first.
 *
 * Four observations keep it small, each losing no answer:
 * - a call that only reads takes effect as soon as it can: it changes nothing and is one worry less;
 * - of equal open calls the one that must complete first goes first;
 * - of equal calls that may never take effect the oldest goes first;
 * - to have used fewer of those leaves more ways on, so what failed with fewer is not tried with more.
 */
export class Search<State, Call> {
  readonly #model: Model<State, Call>;
  readonly #budget: Budget;
  readonly #timeline: Timeline<Call>;
  readonly #outlook: Outlook<State> | undefined;
  readonly #states: State[] = [];
  readonly #stateIds = new Map<string, number>();
  /** Per stage: for what is known to lead nowhere, the sets of optional calls used, the smallest only. */
  readonly #failed: (Map<string, bigint[]> | undefined)[] = [];
  #deepest = 0;

  /** Without looking ahead it takes longer, and tells truly how far one gets and what there is to find there. */
  constructor(
    model: Model<State, Call>,
    calls: readonly TimedCall<Call>[],
    budget: Budget,
    { ahead }: { readonly ahead: boolean },
  ) {
    this.#model = model;
    this.#budget = budget;
    this.#timeline = timelineOf(model, calls, budget);
    this.#outlook = ahead && budget.spent === undefined ? model.outlook?.(this.#timeline) : undefined;
  }

  run(): SearchResult<State> {
    if (this.#budget.spent !== undefined) return { result: 'unknown' };
    const found = this.#explore(this.#timeline.required.length);
    if (found) return { result: 'valid' };
    if (this.#budget.spent !== undefined) return { result: 'unknown' };
    const blocked = this.#timeline.required[this.#deepest] as Required<Call>;
    return { result: 'invalid', blocked: blocked.place, states: this.#statesAt(this.#deepest) };
  }

  /** Every state possible once the first `stages` calls have completed, if none is open then; undefined if out of budget. */
  statesAfter(stages: number): State[] | undefined {
    const ends = new Set<number>();
    this.#explore(stages, ends);
    return this.#budget.spent === undefined ? [...ends].map((id) => this.#states[id] as State) : undefined;
  }

  #explore(goal: number, ends?: Set<number>): boolean {
    const stack: Frame[] = [];
    /** True when the goal is reached and reaching it once is enough. */
    const enter = (configuration: Configuration): boolean => {
      const settled = this.#settle(configuration, goal);
      if (settled.stage === goal) {
        ends?.add(settled.state);
        return ends === undefined;
      }
      const state = this.#states[settled.state] as State;
      if (this.#outlook?.mayEnd(settled.stage, settled.early, state) === false) return false;
      if (this.#isNew(settled)) stack.push({ ...settled, todo: [], next: 0 });
      return false;
    };
    if (enter({ stage: 0, early: 0n, used: 0n, state: this.#idOf(this.#model.initial) })) return true;
    while (stack.length > 0) {
      if (!this.#budget.take(0)) return false;
      const frame = stack[stack.length - 1] as Frame;
      const configuration = frame.todo.pop();
      if (configuration !== undefined) {
        if (enter(configuration)) return true;
      } else if (!this.#advance(frame)) {
        stack.pop();
      }
    }
    return false;
  }

  /** Takes the ways on that leave no choice: reads that fit, and completions of what has taken effect. */
  #settle({ stage, early, used, state }: Configuration, goal: number): Configuration {
    let at = stage;
    let done = early;
    for (; at < goal; at += 1) {
      const due = this.#timeline.required[at] as Required<Call>;
      done = this.#withRead(due, done, state);
      for (const call of this.#timeline.open[at] as Required<Call>[]) done = this.#withRead(call, done, state);
      if ((done & due.bit) === 0n) break;
      done ^= due.bit;
    }
    return { stage: at, early: done, used, state };
  }

  #withRead({ call, bit, reads }: Required<Call>, done: bigint, state: number): bigint {
    if (!reads || (done & bit) !== 0n) return done;
    return this.#model.step(this.#states[state] as State, call).length > 0 ? done | bit : done;
  }

  /** Puts the next way on into the frame's list; false when there is none left. */
  #advance(frame: Frame): boolean {
    const { stage, early, used, state } = frame;
    const due = this.#timeline.required[stage] as Required<Call>;
    const open = this.#timeline.open[stage] as Required<Call>[];
    const way = frame.next;
    frame.next += 1;
    if (way === 0) {
      if (!this.#hasNeeds(due.needs, frame)) return true;
      this.#step(due.call, state, (next) => frame.todo.push({ stage: stage + 1, early, used, state: next }));
      return true;
    }
    if (way <= open.length) {
      const required = open[way - 1] as Required<Call>;
      if (required.reads || (early & required.bit) !== 0n || this.#hasEqualBefore(required, stage, early)) return true;
      if (!this.#hasNeeds(required.needs, frame)) return true;
      const done = early | required.bit;
      this.#step(required.call, state, (next) => frame.todo.push({ stage, early: done, used, state: next }));
      return true;
    }
    const place = way - open.length - 1;
    if (place >= (this.#timeline.available[stage] as number)) return false;
    const optional = this.#timeline.optional[place] as Optional<Call>;
    if ((used & optional.bit) !== 0n || (used & optional.older) !== optional.older) return true;
    const more = used | optional.bit;
    this.#step(optional.call, state, (next) => {
      if (next !== state) frame.todo.push({ stage, early, used: more, state: next });
    });
    return true;
  }

  #hasNeeds(needs: readonly number[], { stage, early }: Configuration): boolean {
    return needs.every((place) => {
      const needed = this.#timeline.stageOf.get(place);
      // Nothing is asked of one that may never take effect: it need not be what was needed.
      if (needed === undefined || needed < stage) return true;
      return (early & (this.#timeline.required[needed] as Required<Call>).bit) !== 0n;
    });
  }

  #hasEqualBefore(required: Required<Call>, stage: number, early: bigint): boolean {
    const due = this.#timeline.required[stage] as Required<Call>;
    if (due.kind === required.kind) return true;
    for (const other of this.#timeline.open[stage] as Required<Call>[]) {
      if (other === required) return false;
      if (other.kind === required.kind && (early & other.bit) === 0n) return true;
    }
    return false;
  }

  #step(call: Call, state: number, next: (state: number) => void): void {
    for (const after of this.#model.step(this.#states[state] as State, call)) next(this.#idOf(after));
  }

  #idOf(state: State): number {
    const key = this.#model.stateKey(state);
    const known = this.#stateIds.get(key);
    if (known !== undefined) return known;
    const id = this.#states.length;
    this.#states.push(state);
    this.#stateIds.set(key, id);
    this.#budget.take(200 + 12 * key.length);
    return id;
  }

  #isNew({ stage, early, used, state }: Configuration): boolean {
    this.#deepest = Math.max(this.#deepest, stage);
    this.#failed[stage] ??= new Map();
    const failed = this.#failed[stage];
    const key = `${early} ${state}`;
    const seen = failed.get(key);
    if (seen === undefined) {
      failed.set(key, [used]);
    } else {
      if (seen.some((fewer) => (fewer & used) === fewer)) return false;
      failed.set(key, [...seen.filter((more) => (used & more) !== used), used]);
    }
    this.#budget.take(220 + this.#timeline.optional.length / 8);
    return true;
  }

  /** The states it may have been in while the call of this stage was open. */
  #statesAt(stage: number): State[] {
    const call = this.#timeline.required[stage] as Required<Call>;
    const ids = new Set<number>();
    for (let at = stage; at >= 0; at -= 1) {
      if (at < stage && !this.#timeline.open[at]?.includes(call)) break;
      for (const key of this.#failed[at]?.keys() ?? []) ids.add(Number(key.slice(key.indexOf(' ') + 1)));
    }
    return [...ids].map((id) => this.#states[id] as State);
  }
}
