import type { WorkflowExecutionDescription } from '@temporalio/client';
import type { CallOptions, Channel } from '../connection/channel.ts';

/** What the server knows of the workflow that has this id now. */
export async function look(channel: Channel, id: string, options: CallOptions): Promise<WorkflowExecutionDescription> {
  const handle = channel.client.workflow.getHandle(id);
  return await channel.call({ what: `describing "${id}"`, writes: false, id }, () => handle.describe(), options);
}
