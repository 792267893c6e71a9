import { ApplicationFailure, type Payload, type PayloadCodec } from '@temporalio/common';
import { PayloadTooLargeError } from '../errors/payload-too-large-error.ts';

/** Refuses what is larger than the server takes: it would be refused there, with less said, and by some after it was kept. */
export function sizeLimit(limit: number, where: 'client' | 'worker'): PayloadCodec {
  return {
    encode: async (payloads) => {
      // The arguments of a call come together, and count together.
      const bytes = payloads.reduce((sum, payload) => sum + bytesOf(payload), 0);
      if (bytes <= limit) return payloads;
      const error = new PayloadTooLargeError(bytes, limit);
      // Whoever has the value would make it as large again.
      throw where === 'client' ? error : ApplicationFailure.nonRetryable(error.message, error.code);
    },
    decode: async (payloads) => payloads,
  };
}

function bytesOf({ data, metadata }: Payload): number {
  let bytes = data?.length ?? 0;
  for (const [name, value] of Object.entries(metadata ?? {})) bytes += name.length + value.length;
  return bytes;
}
