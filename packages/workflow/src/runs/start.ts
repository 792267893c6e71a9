import { AmbiguousError } from '@quorate/core';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { Channel } from '../connection/channel.ts';
import { AlreadyStartedError } from '../errors/already-started-error.ts';
import type { RunSummary } from './description.ts';
import { WorkflowRun } from './run.ts';
import { sent } from './sending.ts';
import type { StartSettings } from './start-options.ts';

/** Starts a workflow, or finds the one that is there, as was asked for. */
export async function startRun<Result>(channel: Channel, settings: StartSettings): Promise<WorkflowRun<Result>> {
  const { id, type, attaches, attachesToEnded, token, signal, options } = settings;
  const what = `starting "${id}"`;
  const { workflow } = channel.client;
  try {
    const handle = await channel.call(
      { what, writes: true },
      () =>
        sent(channel.settings.tracing, { operation: 'start', type, id }, { token }, () =>
          workflow.start(type, options),
        ),
      { signal },
    );
    const run = new WorkflowRun<Result>(channel, { id, runId: handle.firstExecutionRunId });
    if (!attaches) return run;
    const { firstRunId } = await checkType(run, type, signal);
    return new WorkflowRun<Result>(channel, { id, runId: firstRunId });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    const run = new WorkflowRun<Result>(channel, { id });
    const { status } = await run.describe({ signal });
    if (!(status === 'running' ? attaches : attachesToEnded))
      throw new AlreadyStartedError(id, status === 'running' ? 'it runs' : `it has ended before (${status})`, {
        cause: error,
      });
    const { firstRunId } = await checkType(run, type, signal);
    return new WorkflowRun<Result>(channel, { id, runId: firstRunId });
  }
}

/** What runs under this id may be another workflow. */
async function checkType(
  run: WorkflowRun<unknown>,
  type: string,
  signal: AbortSignal | undefined,
): Promise<RunSummary> {
  let found: RunSummary;
  try {
    found = await run.describe({ signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw new AmbiguousError(
      `starting "${run.id}": a workflow of this id is there, but Temporal has not answered which`,
      {
        cause: error,
      },
    );
  }
  if (found.type !== type)
    throw new AlreadyStartedError(run.id, `a workflow of this id is there, and is "${found.type}", not "${type}"`);
  return found;
}
