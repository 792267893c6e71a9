import { promisify } from 'node:util';
import { deflateRaw, inflateRaw } from 'node:zlib';

const deflate = promisify(deflateRaw);
const inflate = promisify(inflateRaw);

/** Fastest: what is saved is the network's time and Redis's memory, and the processor's time is what it costs. */
const level = 1;

export async function compress(bytes: string | Uint8Array): Promise<Buffer> {
  return await deflate(bytes, { level });
}

/** Rejects what would become longer than `limit`: a few bytes can unfold to more than there is memory. */
export async function decompress(bytes: Buffer, limit: number): Promise<Buffer> {
  return await inflate(bytes, { maxOutputLength: limit });
}
