import { backoff, sleep } from '@quorate/core';
import type { Channel } from '../connection/channel.ts';
import { WorkflowStuckError } from '../errors/workflow-stuck-error.ts';
import { look } from './look.ts';
import { told } from './told.ts';

/** How often it is looked whether the workflow gets on: soon at first, as a fault in new code is there from the start. */
const looks = { min: 1_500, max: 15_000, jitter: 0.2 };

/** The task at which a workflow is: its code, from one event to the next. */
interface Task {
  readonly attempt: number;
  /** Tells one attempt from another. */
  readonly started: string;
}

/**
 * Rejects when the workflow does not get on: its code has failed at one point, and the attempt after that fails too. Of the second one
 * the library tells nothing: it stays begun for ten seconds, which an attempt that goes well never does.
 */
export async function rejectWhenStuck(channel: Channel, id: string, signal: AbortSignal): Promise<never> {
  const pauses = backoff(looks);
  let before: Task | undefined;
  for (;;) {
    await sleep(pauses.next(), { signal, background: true });
    const task = await taskOf(channel, id, signal).catch(() => undefined);
    const stands = task !== undefined && task.attempt === before?.attempt && task.started === before.started;
    if (task !== undefined && (task.attempt > 2 || (task.attempt === 2 && stands))) {
      const why = await whyFailed(channel, id, signal).catch(() => undefined);
      throw new WorkflowStuckError(
        id,
        Math.max(2, task.attempt - 1),
        why ?? 'no worker has told why; it may have died, or taken too long',
      );
    }
    before = task;
  }
}

async function taskOf(channel: Channel, id: string, signal: AbortSignal): Promise<Task | undefined> {
  const { raw } = await look(channel, id, { signal });
  const { attempt, startedTime } = raw.pendingWorkflowTask ?? {};
  if (!attempt) return undefined;
  return { attempt, started: `${startedTime?.seconds} ${startedTime?.nanos}` };
}

/** What the worker has told of the first failure: those behind it are told by nobody. */
async function whyFailed(channel: Channel, id: string, signal: AbortSignal): Promise<string | undefined> {
  const { namespace } = channel.settings;
  const { workflowService } = channel.client;
  const request = { namespace, execution: { workflowId: id }, maximumPageSize: 20 };
  const { history } = await channel.call(
    { what: `looking at "${id}"`, writes: false, id },
    () => workflowService.getWorkflowExecutionHistoryReverse(request),
    { signal },
  );
  const failed = history?.events?.find((event) => event.workflowTaskFailedEventAttributes);
  return await told(channel, failed?.workflowTaskFailedEventAttributes?.failure);
}
