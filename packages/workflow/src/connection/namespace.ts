import { isQuorateError, sleep } from '@quorate/core';
import { isGrpcServiceError } from '@temporalio/client';
import { UnknownNamespaceError } from '../errors/unknown-namespace-error.ts';
import type { Channel } from './channel.ts';
import { status } from './status.ts';

/** Looks whether the namespace is there; makes it, where that was asked for. */
export async function findNamespace(channel: Channel, signal?: AbortSignal): Promise<void> {
  const { namespace, retention } = channel.settings;
  const { workflowService } = channel.client;
  const what = `looking for the namespace "${namespace}"`;
  const look = (): Promise<unknown> =>
    channel.call({ what, writes: false }, () => workflowService.describeNamespace({ namespace }), { signal });
  try {
    await look();
    return;
  } catch (error) {
    if (!isMissing(error)) throw error;
    if (retention === undefined) throw new UnknownNamespaceError(namespace, { cause: error });
  }
  const request = { namespace, workflowExecutionRetentionPeriod: { seconds: Math.ceil(retention / 1_000) } };
  await channel.call(
    { what: `making the namespace "${namespace}"`, writes: true },
    () =>
      workflowService.registerNamespace(request as never).catch((error: unknown) => {
        // Somebody else may have been quicker.
        if (!isGrpcServiceError(error) || Number(error.code) !== status.alreadyExists) throw error;
      }),
    { signal },
  );
  // Each part of the server looks at its list of namespaces now and then.
  for (;;) {
    try {
      await channel.call(
        { what, writes: false },
        () => workflowService.listOpenWorkflowExecutions({ namespace, maximumPageSize: 1, startTimeFilter: {} }),
        { signal },
      );
      return;
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
    await sleep(100, { signal });
  }
}

function isMissing(error: unknown): boolean {
  return (
    isQuorateError(error, 'unknown-namespace') || (isQuorateError(error, 'refused') && /not found/i.test(error.message))
  );
}
