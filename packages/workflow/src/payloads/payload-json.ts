import type { Payload } from '@temporalio/common';

/** A payload as Temporal's tools write it: bytes in base64. */
export interface PayloadJson {
  readonly metadata?: Readonly<Record<string, string>>;
  readonly data?: string;
}

export function payloadToJson({ metadata, data }: Payload): PayloadJson {
  const names = Object.entries(metadata ?? {}).map(([name, value]) => [name, Buffer.from(value).toString('base64')]);
  return { metadata: Object.fromEntries(names), ...(data && { data: Buffer.from(data).toString('base64') }) };
}

/** Throws when it is none. */
export function payloadFromJson(json: unknown): Payload {
  const { metadata = {}, data = '' } = json as PayloadJson;
  const names = Object.entries(metadata).map(([name, value]) => [name, bytesOf(value)]);
  return { metadata: Object.fromEntries(names), data: bytesOf(data) };
}

function bytesOf(base64: unknown): Uint8Array {
  if (typeof base64 !== 'string') throw new TypeError('bytes are expected in base64');
  return Buffer.from(base64, 'base64');
}
