import { decodeOptionalFailureToOptionalError } from '@temporalio/common/lib/internal-non-workflow/index.js';
import type { temporal } from '@temporalio/proto';
import type { Channel } from '../connection/channel.ts';

/** What a failure of the server's says, decrypted where it is. */
export async function told(
  channel: Channel,
  failure: temporal.api.failure.v1.IFailure | null | undefined,
): Promise<string | undefined> {
  const { loadedDataConverter } = channel.client.options;
  const error = await decodeOptionalFailureToOptionalError(loadedDataConverter, failure).catch(() => undefined);
  return error?.message || failure?.message || undefined;
}
