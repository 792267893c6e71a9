import { InvalidArgumentError } from '@quorate/core';

/** Who stands for election, as others see it. */
export interface Candidate {
  readonly id: string;
  /** The fencing token it leads under, or will. */
  readonly token: bigint;
  readonly data: Buffer;
}

/** The most bytes beside the id: whoever observes reads them at every change. */
const mostData = 64 * 1024;

export function checkData(data: unknown): Buffer {
  if (typeof data !== 'string' && !(data instanceof Uint8Array)) {
    throw new InvalidArgumentError('data', `a Uint8Array or a string, not ${data === null ? 'null' : typeof data}`);
  }
  const bytes = Buffer.from(data as string);
  if (bytes.length <= mostData) return bytes;
  throw new InvalidArgumentError('data', `at most ${mostData} bytes`, bytes.length);
}

/** The id alone is what Curator's LeaderLatch writes. Data of ours goes behind it, after a line break. */
export function encodeCandidate(id: string, data: Buffer): Buffer {
  return data.length === 0 ? Buffer.from(id) : Buffer.concat([Buffer.from(`${id}\n`), data]);
}

export function decodeCandidate(token: bigint, bytes: Buffer): Candidate {
  const end = bytes.indexOf('\n');
  if (end === -1) return { id: bytes.toString(), token, data: Buffer.alloc(0) };
  return { id: bytes.toString('utf8', 0, end), token, data: bytes.subarray(end + 1) };
}
