import type { WorkflowExecutionDescription, WorkflowExecutionInfo } from '@temporalio/client';
import type { Channel } from '../connection/channel.ts';
import { told } from './told.ts';

export type RunStatus =
  | 'running'
  | 'completed'
  | 'failed'
  | 'cancelled'
  | 'terminated'
  | 'continued-as-new'
  | 'timed-out'
  | 'paused'
  | 'unknown';

/** An activity that is not done with. */
export interface PendingActivity {
  readonly activity: string;
  readonly attempt: number;
  /** Why the attempt before failed. */
  readonly lastFailure?: string;
  readonly lastHeartbeat?: Date;
}

/** What the server knows of a workflow, without asking its workers. */
export interface RunSummary {
  readonly id: string;
  readonly runId: string;
  /** Of the first run of this workflow, where this one continues it: what `workflows.get` takes. */
  readonly firstRunId: string;
  readonly type: string;
  readonly status: RunStatus;
  readonly taskQueue: string;
  readonly started: Date;
  readonly ended?: Date;
  /** Events in its history. */
  readonly events: number;
}

export interface RunDescription extends RunSummary {
  readonly memo: Readonly<Record<string, unknown>>;
  readonly pendingActivities: readonly PendingActivity[];
  /** How often its own code has failed at the point where it is; 0 when it gets on. */
  readonly stuck: number;
}

const statuses: Readonly<Record<string, RunStatus>> = {
  RUNNING: 'running',
  COMPLETED: 'completed',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  TERMINATED: 'terminated',
  CONTINUED_AS_NEW: 'continued-as-new',
  TIMED_OUT: 'timed-out',
  PAUSED: 'paused',
};

/** Of what the library gives for a list or a description: each has the first run at another place. */
export function summaryOf(info: Omit<WorkflowExecutionInfo, 'raw'>, firstRunId: string | null | undefined): RunSummary {
  return {
    id: info.workflowId,
    runId: info.runId,
    firstRunId: firstRunId || info.runId,
    type: info.type,
    status: statuses[info.status.name] ?? 'unknown',
    taskQueue: info.taskQueue,
    started: info.startTime,
    ...(info.closeTime !== undefined && { ended: info.closeTime }),
    events: info.historyLength,
  };
}

export async function descriptionOf(channel: Channel, found: WorkflowExecutionDescription): Promise<RunDescription> {
  const { pendingActivities, pendingWorkflowTask, workflowExecutionInfo } = found.raw;
  return {
    ...summaryOf(found, workflowExecutionInfo?.firstRunId),
    memo: found.memo ?? {},
    pendingActivities: await Promise.all((pendingActivities ?? []).map((one) => pendingOf(channel, one))),
    stuck: Math.max(0, (pendingWorkflowTask?.attempt ?? 1) - 1),
  };
}

type Pending = NonNullable<WorkflowExecutionDescription['raw']['pendingActivities']>[number];

async function pendingOf(
  channel: Channel,
  { activityType, attempt, lastFailure, lastHeartbeatTime }: Pending,
): Promise<PendingActivity> {
  const why = await told(channel, lastFailure);
  return {
    activity: activityType?.name ?? '',
    attempt: attempt ?? 1,
    ...(why !== undefined && { lastFailure: why }),
    ...(lastHeartbeatTime?.seconds && { lastHeartbeat: new Date(Number(lastHeartbeatTime.seconds) * 1_000) }),
  };
}
