import { checkNames, checkSignal, type Duration, duration, InvalidArgumentError } from '@quorate/core';
import type { ScheduleOptions as LibraryOptions, ScheduleOverlapPolicy, ScheduleSpec } from '@temporalio/client';
import type { Workflow } from '@temporalio/common';
import { checkArguments, typeOf, type WithArguments } from '../arguments.ts';
import { text } from '../workflows-options.ts';

/** What becomes of a workflow that is due while the one before runs. `queue` keeps one of them. */
export type Overlap = 'skip' | 'queue' | 'queue-all' | 'cancel' | 'terminate' | 'both';

export type ScheduleOptions<Of extends Workflow> = {
  /** A function, or the name of a workflow. */
  readonly workflow: Of | string;
  /** So long from one to the next. */
  readonly every?: Duration;
  /** Five fields as of `cron`, one or more of them; in `timezone`. */
  readonly cron?: string | readonly string[];
  /** Default `UTC`. */
  readonly timezone?: string;
  /** Each is late by chance, by at most so long: not all at once. */
  readonly jitter?: Duration;
  /** When one is due while the one before runs: `skip` (default), `queue` one behind it, `queue-all`, `cancel` or `terminate` the one that runs, or run `both`. */
  readonly overlap?: Overlap;
  /** What was due while the server was away is made up for, if it is not older. Default 1 h. */
  readonly catchUp?: Duration;
  readonly pauseOnFailure?: boolean;
  readonly paused?: boolean;
  /** Begins the id of each workflow. Default: the id of the schedule. */
  readonly workflowId?: string;
  readonly taskQueue?: string;
  readonly signal?: AbortSignal;
} & WithArguments<Parameters<Of>>;

const names = [
  'workflow',
  'args',
  'every',
  'cron',
  'timezone',
  'jitter',
  'overlap',
  'catchUp',
  'pauseOnFailure',
  'paused',
  'workflowId',
  'taskQueue',
  'signal',
];

const overlaps: Readonly<Record<Overlap, ScheduleOverlapPolicy>> = {
  skip: 'SKIP',
  queue: 'BUFFER_ONE',
  'queue-all': 'BUFFER_ALL',
  cancel: 'CANCEL_OTHER',
  terminate: 'TERMINATE_OTHER',
  both: 'ALLOW_ALL',
};

export function checkSchedule(id: string, options: ScheduleOptions<Workflow>, taskQueue: string): LibraryOptions {
  text('id', id);
  checkNames('options', options, names);
  checkSignal('signal', options.signal);
  const { workflow, overlap = 'skip', catchUp = '1h', pauseOnFailure = false, paused = false } = options;
  for (const [name, value] of Object.entries({ pauseOnFailure, paused }))
    if (typeof value !== 'boolean') throw new InvalidArgumentError(name, 'true or false', value);
  return {
    scheduleId: id,
    spec: specOf(options),
    action: {
      type: 'startWorkflow',
      workflowType: typeOf(workflow),
      workflowId: text('workflowId', options.workflowId ?? id),
      args: checkArguments(options.args),
      taskQueue: text('taskQueue', options.taskQueue ?? taskQueue),
    },
    policies: {
      overlap: policyOf(overlap),
      // The server takes no less.
      catchupWindow: duration(catchUp, { name: 'catchUp', least: 10_000 }),
      pauseOnFailure,
    },
    state: { paused },
  };
}

function specOf({ every, cron, timezone = 'UTC', jitter }: ScheduleOptions<Workflow>): ScheduleSpec {
  if ((every === undefined) === (cron === undefined))
    throw new InvalidArgumentError('every', 'to be given, or cron, and not both', every);
  const expressions = cron === undefined ? [] : typeof cron === 'string' ? [cron] : cron;
  if (!Array.isArray(expressions) || (cron !== undefined && expressions.length === 0))
    throw new InvalidArgumentError('cron', 'text, or a list with some', cron);
  for (const expression of expressions)
    if (typeof expression !== 'string' || !/^\S+(?: \S+){4,6}$/.test(expression.trim()))
      throw new InvalidArgumentError('cron', 'fields such as "0 3 * * *"', expression);
  return {
    ...(every !== undefined && { intervals: [{ every: duration(every, { name: 'every', least: 1_000 }) }] }),
    ...(cron !== undefined && { cronExpressions: [...expressions] }),
    timezone: text('timezone', timezone),
    ...(jitter !== undefined && { jitter: duration(jitter, { name: 'jitter' }) }),
  };
}

export function policyOf(overlap: Overlap): ScheduleOverlapPolicy {
  if (Object.hasOwn(overlaps, overlap)) return overlaps[overlap];
  throw new InvalidArgumentError('overlap', `one of ${Object.keys(overlaps).join(', ')}`, overlap);
}
