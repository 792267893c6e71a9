import { promisify } from 'node:util';
import { gunzip, zstdDecompress } from 'node:zlib';
import type * as kafkajs from 'kafkajs';
import { RefusedError } from '../../errors/refused-error.ts';
import type { Decompress } from './committed.ts';

const byNode: Readonly<Record<number, (bytes: Buffer) => Promise<Buffer>>> = {
  1: promisify(gunzip),
  4: promisify(zstdDecompress) as (bytes: Buffer) => Promise<Buffer>,
};
const names = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

/** Others may write compressed records. What Node.js does not know needs a codec in `CompressionCodecs` of the package. */
export function decompressor(codecs: typeof kafkajs.CompressionCodecs): Decompress {
  const registered = codecs as Readonly<
    Record<number, (() => { decompress(bytes: Buffer): Promise<Buffer> }) | undefined>
  >;
  return async ({ compression, body }) => {
    const own = byNode[compression];
    if (own) return own(body);
    try {
      const codec = registered[compression]?.();
      if (codec) return await codec.decompress(body);
    } catch (cause) {
      throw unknown(compression, cause);
    }
    throw unknown(compression, undefined);
  };
}

function unknown(compression: number, cause: unknown): RefusedError {
  const reason = `records compressed with ${names[compression] ?? compression} need a codec in CompressionCodecs of kafkajs`;
  return new RefusedError('read compressed records', reason, { cause });
}
