import { checkNames, checkSignal, type Duration, duration, InvalidArgumentError } from '@quorate/core';
import type { WorkflowStartOptions } from '@temporalio/client';
import type { SearchAttributePair, Workflow } from '@temporalio/common';
import { checkArguments, typeOf, type WithArguments } from '../arguments.ts';
import { text } from '../workflows-options.ts';

export type StartOptions<Of extends Workflow> = {
  /** Names the workflow for ever: a word of your trade, such as `ride-4711`. */
  readonly id: string;
  /** When one of this id runs: `reject` (default) starts nothing, `attach` gives the one that runs, `replace` terminates it first: nothing of it is undone. */
  readonly ifRunning?: 'attach' | 'reject' | 'replace';
  /** When one of this id has ended: `start` (default) another one, `start-if-failed`, `attach` gives the one that has ended, `reject`. */
  readonly ifEnded?: 'start' | 'start-if-failed' | 'attach' | 'reject';
  /** A fencing token: it goes with the workflow into its activities. */
  readonly token?: bigint;
  /** It begins so much later. */
  readonly delay?: Duration;
  /** How long it may take. Hazard: at the end it has no time to undo anything; prefer `withDeadline` inside. */
  readonly timeout?: Duration;
  /**
   * How long a worker may have a task of the workflow, which is a few lines of its code, before another one gets it: so long nothing goes on when that worker has died with it.
   * Default 10 s. At least what it takes to go through the workflow's whole history.
   */
  readonly taskTimeout?: Duration;
  readonly searchAttributes?: readonly SearchAttributePair[];
  /** Can be read without the workflow. Not searched. */
  readonly memo?: Readonly<Record<string, unknown>>;
  /** In one line, for the page of Temporal. */
  readonly summary?: string;
  readonly taskQueue?: string;
  readonly signal?: AbortSignal;
} & WithArguments<Parameters<Of>>;

const names = [
  'id',
  'args',
  'ifRunning',
  'ifEnded',
  'token',
  'delay',
  'timeout',
  'taskTimeout',
  'searchAttributes',
  'memo',
  'summary',
  'taskQueue',
  'signal',
];

const conflict = { attach: 'USE_EXISTING', reject: 'FAIL', replace: 'TERMINATE_EXISTING' } as const;
const reuse = {
  start: 'ALLOW_DUPLICATE',
  'start-if-failed': 'ALLOW_DUPLICATE_FAILED_ONLY',
  attach: 'REJECT_DUPLICATE',
  reject: 'REJECT_DUPLICATE',
} as const;

export interface StartSettings {
  readonly id: string;
  readonly type: string;
  readonly attaches: boolean;
  readonly attachesToEnded: boolean;
  readonly token: bigint | undefined;
  readonly signal: AbortSignal | undefined;
  readonly options: WorkflowStartOptions;
}

export function checkStart(workflow: unknown, options: StartOptions<Workflow>, taskQueue: string): StartSettings {
  const type = typeOf(workflow);
  checkNames('options', options, names);
  const {
    id,
    ifRunning = 'reject',
    ifEnded = 'start',
    token,
    delay,
    timeout,
    taskTimeout,
    memo,
    summary,
    signal,
  } = options;
  checkSignal('signal', signal);
  const args = checkArguments(options.args);
  if (!Object.hasOwn(conflict, ifRunning))
    throw new InvalidArgumentError('ifRunning', '"attach", "reject" or "replace"', ifRunning);
  if (!Object.hasOwn(reuse, ifEnded))
    throw new InvalidArgumentError('ifEnded', '"start", "start-if-failed", "attach" or "reject"', ifEnded);
  if (ifRunning === 'replace' && (ifEnded === 'attach' || ifEnded === 'reject'))
    throw new InvalidArgumentError('ifEnded', '"start" or "start-if-failed", as ifRunning is "replace"', ifEnded);
  if (token !== undefined && (typeof token !== 'bigint' || token < 0n || token >= 2n ** 63n))
    throw new InvalidArgumentError('token', 'a bigint from 0n to 2n ** 63n - 1n', token);
  checkSaid(options);
  return {
    id: text('id', id),
    type,
    attaches: ifRunning === 'attach',
    attachesToEnded: ifEnded === 'attach',
    token,
    signal,
    options: {
      workflowId: id,
      args,
      taskQueue: text('taskQueue', options.taskQueue ?? taskQueue),
      workflowIdConflictPolicy: conflict[ifRunning],
      workflowIdReusePolicy: reuse[ifEnded],
      ...(delay !== undefined && { startDelay: duration(delay, { name: 'delay' }) }),
      ...(timeout !== undefined && { workflowExecutionTimeout: duration(timeout, { name: 'timeout', least: 1 }) }),
      ...(taskTimeout !== undefined && {
        // Temporal cuts longer ones to 2 min without a word.
        workflowTaskTimeout: duration(taskTimeout, { name: 'taskTimeout', least: 100, most: 120_000 }),
      }),
      ...(options.searchAttributes !== undefined && { typedSearchAttributes: [...options.searchAttributes] }),
      ...(memo !== undefined && { memo: { ...memo } }),
      ...(summary !== undefined && { staticSummary: summary }),
    },
  };
}

/** What is told of the workflow beside its arguments. */
function checkSaid({ searchAttributes, memo, summary }: StartOptions<Workflow>): void {
  const isPair = (one: unknown): boolean => typeof (one as SearchAttributePair | null)?.key?.name === 'string';
  if (searchAttributes !== undefined && !(Array.isArray(searchAttributes) && searchAttributes.every(isPair)))
    throw new InvalidArgumentError(
      'searchAttributes',
      'a list of { key, value }, with keys of defineSearchAttributeKey',
    );
  if (memo !== undefined && (typeof memo !== 'object' || memo === null || Array.isArray(memo)))
    throw new InvalidArgumentError('memo', 'an object', memo);
  if (summary !== undefined) text('summary', summary);
}
