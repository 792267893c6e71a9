import { CancellationScope, isCancellation, sleep } from '@temporalio/workflow';
import { messageOf } from '../carried/innermost.ts';
import type { SagaReport } from '../carried/saga-report.ts';
import { certainlyNot, endsRun, worthAnother } from './outcome.ts';
import { refusal } from './refusal.ts';
import { checkSagaOptions, type SagaOptions, type SagaSettings } from './saga-options.ts';
import { type Call, enclosing, stepScope } from './scope.ts';
import { type Step, steps } from './steps.ts';

/**
 * Steps that are undone, the last one first, when the workflow fails or is cancelled.
 *
 *     const undo = saga();
 *     const cab = await undo.step(() => book(ride), (booked) => release(ride));
 *     await undo.step(() => charge(ride), () => refund(ride));
 *
 * Hazards: what ends a workflow from outside (`terminate`, a time limit of the whole run) leaves it no time to undo
 * anything. A saga in the handler of an update is not undone when only the handler fails: it is open until the workflow ends. An error that is not an `ApplicationFailure` is a fault of the program for Temporal: the task is tried again, and nothing is undone.
 */
export function saga(options: SagaOptions = {}): Saga {
  return new Saga(checkSagaOptions(options));
}

/** Open until the workflow ends, or until it is kept or undone. */
const open = new Set<Saga>();
let attended = false;

let over = false;

/** From now on what is done is undone: nobody would undo what begins after that. */
export function beginNoMore(): void {
  over = true;
}

/** Says that there is somebody who undoes what is open when the workflow fails. */
export function attend(): void {
  attended = true;
}

export class Saga {
  readonly #settings: SagaSettings;
  readonly #steps: Step[] = [];
  #report: Promise<SagaReport> | undefined;

  constructor(settings: SagaSettings) {
    if (!attended)
      throw refusal(
        'not-attended',
        'saga: nothing would be undone when the workflow fails, as its bundle is without the interceptors of @quorate/workflow; make it by bundle() or workflows.worker()',
      );
    if (over) throw refusal('saga-over', 'saga: the workflow has failed, and is undone: nothing new is begun');
    this.#settings = settings;
    open.add(this);
  }

  /**
   * Does `work`, and remembers how it is undone. `undo` gets what `work` gave; or `undefined` where nobody knows whether it was done,
   * as after a time limit: it has to cope with both. It is not called for what certainly did not happen.
   */
  async step<Result>(
    work: () => Promise<Result>,
    undo: (result: Result | undefined) => unknown,
    { name }: { readonly name?: string } = {},
  ): Promise<Result> {
    if (!open.has(this)) throw refusal('saga-over', 'saga.step: the saga was kept or undone: make a new one');
    const calls: Call[] = [];
    let result: Result | undefined;
    const scope = new CancellationScope();
    const ending: Promise<Result> = scope.run(() =>
      stepScope.run({ saga: this, calls, outer: stepScope.getStore() }, work),
    );
    const step: Step = {
      name: name ?? (work.name || calls[0]?.name || `step ${this.#steps.length + 1}`),
      state: 'running',
      calls,
      scope,
      ended: ending.catch(() => {}),
      nothing: false,
      undo: async () => await undo(result),
    };
    this.#steps.push(step);
    steps.push(step);
    try {
      const given = await ending;
      result = given;
      step.state = 'done';
      return given;
    } catch (error) {
      step.state = 'failed';
      // With several calls the others may have done something.
      step.nothing = calls.length === 1 && calls[0]?.kind === 'activity' && certainlyNot(error);
      throw error;
    }
  }

  /** What was done stays, whatever becomes of the workflow. */
  keep(): void {
    open.delete(this);
  }

  get isOpen(): boolean {
    return open.has(this) && this.#steps.some(({ nothing }) => !nothing);
  }

  /** Undoes what was done, the last step first. The workflow goes on. Idempotent. Not within one of its own steps, which would wait for itself. */
  async undo(): Promise<SagaReport> {
    for (const { saga } of enclosing())
      if (saga === this)
        throw refusal('undo-within', 'saga.undo: called within a step of the same saga; let the step fail instead');
    open.delete(this);
    // A cancellation of the workflow must not stop it halfway.
    this.#report ??= CancellationScope.nonCancellable(() => this.#undo());
    return await this.#report;
  }

  async #undo(): Promise<SagaReport> {
    const undone: string[] = [];
    const notUndone: { step: string; why: string }[] = [];
    const neverDone: string[] = [];
    for (const step of this.#steps) if (step.state === 'running') step.scope.cancel();
    for (const step of this.#steps.toReversed()) {
      await step.ended;
      if (step.nothing) {
        neverDone.push(step.name);
        continue;
      }
      step.state = 'undoing';
      const why = await this.#undoStep(step);
      step.state = why === undefined ? 'undone' : 'not-undone';
      if (why === undefined) undone.push(step.name);
      else notUndone.push({ step: step.name, why });
    }
    return { undone, notUndone, neverDone };
  }

  /** Why it could not be undone; nothing when it was. */
  async #undoStep({ undo, calls }: Step): Promise<string | undefined> {
    const { attempts, delay, maxDelay } = this.#settings;
    const keys = calls.flatMap(({ key }) => key ?? []).reverse();
    // The keys of what a child did are not known here.
    const undoes = keys.length === 0 && calls.length > 0 ? undefined : keys;
    for (let attempt = 1; ; attempt += 1) {
      try {
        await stepScope.run({ saga: this, calls: [], undoes, outer: stepScope.getStore() }, undo);
        return undefined;
      } catch (error) {
        if (!endsRun(error)) throw error;
        if (attempt >= attempts || isCancellation(error) || !worthAnother(error)) return messageOf(error);
      }
      await sleep(Math.min(maxDelay, delay * 2 ** (attempt - 1)));
    }
  }
}

/** The sagas that are neither kept nor undone and have something to undo; the newest first. */
export function openSagas(): Saga[] {
  return [...open].filter((one) => one.isOpen).reverse();
}
