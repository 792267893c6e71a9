import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { decompressLz4 } from './lz4.ts';
import { MalformedAnswerError } from './malformed-answer-error.ts';
import { decompressSnappy } from './snappy.ts';
import { UnreadableBatchError } from './unreadable-batch-error.ts';

type Decompress = (bytes: Buffer, most: number) => Buffer;

/** By Kafka's numbers. */
const codecs: readonly Decompress[] = [
  (bytes) => bytes,
  zlib('gzip', (bytes, most) => gunzipSync(bytes, { maxOutputLength: most })),
  decompressSnappy,
  decompressLz4,
  zlib('zstd', (bytes, most) => zstdDecompressSync(bytes, { maxOutputLength: most })),
];

/** Throws MalformedAnswerError, or UnreadableBatchError for what is larger than that, or compressed in a way that we do not know. */
export function decompress(codec: number, bytes: Buffer, most: number): Buffer {
  const known = codecs[codec];
  if (!known) throw new UnreadableBatchError(`it is compressed in a way that is not known (${codec})`);
  return known(bytes, most);
}

function zlib(name: string, run: Decompress): Decompress {
  return (bytes, most) => {
    try {
      return run(bytes, most);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ERR_BUFFER_TOO_LARGE') throw new UnreadableBatchError(`it has more than ${most} bytes`);
      throw new MalformedAnswerError(`${name}: ${message}`);
    }
  };
}
