import { backoff, InvalidArgumentError, isQuorateError } from '@quorate/core';
import type { Channel } from '../connection/channel.ts';
import { explained } from '../connection/explained.ts';
import { endedAs } from './failure.ts';
import { look } from './look.ts';
import { rejectWhenStuck } from './stuck.ts';

export interface ResultOptions {
  readonly signal?: AbortSignal | undefined;
  /**
   * What to do when the workflow's own code fails twice at one point: `throw` (default) `WorkflowStuckError`, or `wait` until it is mended.
   */
  readonly whenStuck?: 'throw' | 'wait';
}

interface Sought {
  readonly id: string;
  readonly runId: string | undefined;
}

/** Waits for the end of a workflow, as long as it takes. */
export async function resultOf(channel: Channel, sought: Sought, options: ResultOptions): Promise<unknown> {
  const { signal, whenStuck = 'throw' } = options;
  if (whenStuck !== 'throw' && whenStuck !== 'wait')
    throw new InvalidArgumentError('whenStuck', '"throw" or "wait"', whenStuck);
  const over = new AbortController();
  const until = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]);
  const result = resultWhenever(channel, sought, until);
  if (whenStuck === 'wait') return await result.finally(() => over.abort());
  try {
    return await Promise.race([result, rejectWhenStuck(channel, sought.id, until)]);
  } finally {
    over.abort();
    // It is over, or rejects with the reason of the abort, which is told already.
    result.catch(() => {});
  }
}

/** Asks again when the server was away. */
async function resultWhenever(channel: Channel, { id, runId: first }: Sought, signal: AbortSignal): Promise<unknown> {
  let runId = first;
  const pauses = backoff({ min: 100, max: 2_000 });
  const { workflow } = channel.client;
  for (;;) {
    try {
      return await channel.wait(() => workflow.result(id, runId), signal);
    } catch (error) {
      signal.throwIfAborted();
      const ended = endedAs(error, id, first);
      if (ended !== undefined) throw ended;
      const said = explained(error, { what: `waiting for "${id}"`, writes: false, id });
      // Of a workflow that is continued for long the server has forgotten the first run.
      const now = isQuorateError(said, 'unknown-workflow') ? await continued(channel, id, first, signal) : undefined;
      if (now !== undefined && now !== runId) {
        runId = now;
        continue;
      }
      if (!isQuorateError(said) || !(said.retryable || said.code === 'deadline-exceeded')) throw said;
    }
    await pauses.wait({ signal });
  }
}

/** The run that continues the one that is sought, by now. */
async function continued(
  channel: Channel,
  id: string,
  first: string | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  const found = await look(channel, id, { signal }).catch((error: unknown) => {
    signal.throwIfAborted();
    if (isQuorateError(error, 'unknown-workflow')) return undefined;
    throw error;
  });
  return found?.raw.workflowExecutionInfo?.firstRunId === first ? found?.runId : undefined;
}
