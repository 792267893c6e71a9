import { type Channel, channel, type TracingChannel, tracingChannel } from 'node:diagnostics_channel';

/** Traced on `quorate.workflow.activity`, for each attempt. Arguments and results are not part of it. */
export interface TracedActivity {
  readonly activity: string;
  readonly id: string;
  readonly runId: string;
  readonly attempt: number;
  readonly key: string;
}

/** Published on `quorate.workflow.worker` when a worker begins to poll, and when it has ended. */
export interface WorkerEvent {
  readonly taskQueue: string;
  readonly event: 'polling' | 'stopped' | 'failed' | 'leading' | 'standby';
  readonly error?: string;
}

export const activities: TracingChannel<TracedActivity> = tracingChannel('quorate.workflow.activity');
export const workers: Channel<unknown, WorkerEvent> = channel('quorate.workflow.worker');
