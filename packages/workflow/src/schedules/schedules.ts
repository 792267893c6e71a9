import { checkSignal, InvalidArgumentError, isQuorateError } from '@quorate/core';
import { ScheduleAlreadyRunning, ScheduleNotFoundError } from '@temporalio/client';
import type { Workflow } from '@temporalio/common';
import type { CallOptions, Channel } from '../connection/channel.ts';
import { RefusedError } from '../errors/refused-error.ts';
import { UnknownScheduleError } from '../errors/unknown-schedule-error.ts';
import { text } from '../workflows-options.ts';
import { checkSchedule, type Overlap, policyOf, type ScheduleOptions } from './schedule-options.ts';

export interface ScheduleReport {
  readonly id: string;
  readonly paused: boolean;
  readonly next: readonly Date[];
  /** Of the last ones that were started, the newest last. */
  readonly recent: readonly { readonly due: Date; readonly started: Date; readonly id: string }[];
  readonly started: number;
  /** Due while one ran before, or while the server was away for too long. */
  readonly skipped: number;
  readonly missed: number;
}

/** Workflows that are started by the clock, by the server. */
export class Schedules {
  readonly #channel: Channel;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  /** Makes the schedule, or changes the one of this id: however often it is called, it is as it says. */
  async put<Of extends Workflow>(id: string, options: ScheduleOptions<Of>): Promise<void> {
    const { taskQueue } = this.#channel.settings;
    const wanted = checkSchedule(id, options as unknown as ScheduleOptions<Workflow>, taskQueue);
    const { scheduleId: _, ...rest } = wanted;
    const { signal } = options;
    const { schedule } = this.#channel.client;
    const what = `putting the schedule "${id}"`;
    try {
      await this.#call(id, what, true, () => schedule.create(wanted), signal);
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
      await this.#call(id, what, true, () => schedule.getHandle(id).update(() => rest as never), signal);
    }
  }

  /** Resolves also when there is none. */
  async delete(id: string, { signal }: CallOptions = {}): Promise<void> {
    try {
      await this.#on(id, 'deleting', (handle) => handle.delete(), signal);
    } catch (error) {
      if (!isQuorateError(error, 'unknown-schedule')) throw error;
    }
  }

  async pause(id: string, { signal }: CallOptions = {}): Promise<void> {
    await this.#on(id, 'pausing', (handle) => handle.pause(), signal);
  }

  async resume(id: string, { signal }: CallOptions = {}): Promise<void> {
    await this.#on(id, 'resuming', (handle) => handle.unpause(), signal);
  }

  /** Starts one now, or when those that run have ended; `overlap` says otherwise. That of the schedule would have it left out. */
  async trigger(
    id: string,
    { overlap = 'queue-all', signal }: CallOptions & { readonly overlap?: Overlap } = {},
  ): Promise<void> {
    const policy = policyOf(overlap);
    await this.#on(id, 'triggering', (handle) => handle.trigger(policy), signal);
  }

  /** Starts those that would have been due between two times. */
  async backfill(
    id: string,
    { from, to, signal }: CallOptions & { readonly from: Date; readonly to: Date },
  ): Promise<void> {
    for (const [name, date] of Object.entries({ from, to }))
      if (!(date instanceof Date) || Number.isNaN(date.getTime())) throw new InvalidArgumentError(name, 'a date', date);
    // The server takes the first moment as excluded.
    const start = new Date(from.getTime() - 1);
    await this.#on(id, 'backfilling', (handle) => handle.backfill({ start, end: to, overlap: 'BUFFER_ALL' }), signal);
  }

  async describe(id: string, { signal }: CallOptions = {}): Promise<ScheduleReport> {
    const found = await this.#call(
      id,
      `describing the schedule "${id}"`,
      false,
      () => this.#channel.client.schedule.getHandle(text('id', id)).describe(),
      signal,
    );
    const { info, state } = found;
    return {
      id,
      paused: state.paused,
      next: info.nextActionTimes,
      recent: info.recentActions.map(({ scheduledAt, takenAt, action }) => ({
        due: scheduledAt,
        started: takenAt,
        id: action.workflow.workflowId,
      })),
      started: info.numActionsTaken,
      skipped: info.numActionsSkippedOverlap,
      missed: info.numActionsMissedCatchupWindow,
    };
  }

  async #on(
    id: string,
    doing: string,
    work: (handle: ReturnType<Channel['client']['schedule']['getHandle']>) => Promise<unknown>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const handle = this.#channel.client.schedule.getHandle(text('id', id));
    await this.#call(id, `${doing} the schedule "${id}"`, true, () => work(handle), signal);
  }

  async #call<Result>(
    id: string,
    what: string,
    writes: boolean,
    work: () => Promise<Result>,
    signal: AbortSignal | undefined,
  ): Promise<Result> {
    checkSignal('signal', signal);
    try {
      return await this.#channel.call({ what, writes }, work, { signal });
    } catch (error) {
      if (error instanceof ScheduleNotFoundError) throw new UnknownScheduleError(id, { cause: error });
      // What the server does not understand, such as a field of `cron`.
      throw error instanceof TypeError ? new RefusedError(what, error.message, { cause: error }) : error;
    }
  }
}
