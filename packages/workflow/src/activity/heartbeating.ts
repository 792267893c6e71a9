import { type Duration, duration, QuorateError, startTimer } from '@quorate/core';
import { Context } from '@temporalio/activity';
import { step } from './step.ts';

/** How an activity that goes on for long says how far it is. */
export interface Heartbeat<Point> {
  /** Where the attempt before was; nothing in the first one. What came shortly before its end may be missing. */
  readonly resume: Point | undefined;
  /** Says how far it is. The next attempt gets it as `resume`. */
  at(point: Point): void;
  /** Aborts when the work is not wanted any more, or when it stands still. */
  readonly signal: AbortSignal;
}

export interface HeartbeatingOptions {
  /** Without a new point for so long, the attempt is given up. Default: it may take as long as its time limit allows. */
  readonly stalled?: Duration;
}

/**
 * An activity that tells by heartbeats that it lives and how far it is; when its worker dies, the next one goes on from there.
 *
 *     export const load = heartbeating<number, [file: string], void>(async ({ resume = 0, at, signal }, file) => {
 *       for (let row = resume; row < rows; row += 1) { …; at(row + 1); }
 *     });
 *
 * In the workflow it needs a `heartbeat`: `activities<typeof work>({ heartbeat: '10s' })`.
 */
export function heartbeating<Point, Arguments extends unknown[], Result>(
  work: (heartbeat: Heartbeat<Point>, ...args: Arguments) => Promise<Result>,
  { stalled }: HeartbeatingOptions = {},
): (...args: Arguments) => Promise<Result> {
  const patience = stalled === undefined ? undefined : duration(stalled, { name: 'stalled', least: 1 });
  return async (...args) => {
    const context = Context.current();
    const { heartbeatDetails, heartbeatTimeoutMs = 30_000 } = context.info;
    const still = new AbortController();
    let point = heartbeatDetails as Point | undefined;
    const stands = (): void =>
      still.abort(
        new QuorateError(`it stood still for ${patience} ms`, {
          code: 'stalled',
          retryable: true,
          happened: 'unknown',
        }),
      );
    const watch = (): { clear(): void } | undefined =>
      patience === undefined ? undefined : startTimer(patience, stands, { background: true });
    let watching = watch();
    const beat = setInterval(() => context.heartbeat(point), heartbeatTimeoutMs / 3).unref();
    try {
      // Nothing is told before the first point: of two in a short time the second one is told later.
      return await work(
        {
          resume: point,
          at: (next) => {
            point = next;
            context.heartbeat(next);
            watching?.clear();
            watching = watch();
          },
          signal: AbortSignal.any([step().signal, still.signal]),
        },
        ...args,
      );
    } finally {
      clearInterval(beat);
      watching?.clear();
    }
  };
}
