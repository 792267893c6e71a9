import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { QuorateError } from '@quorate/core';

/** What came is not what the lock file pins: it is refused, and nothing of it is kept. */
export class ChecksumError extends QuorateError {
  constructor(what: string, { expected, actual }: { readonly expected: string; readonly actual: string }) {
    super(
      `${what} has SHA-256 ${actual}, but lock.json pins ${expected}: rejected, and nothing of it was kept. ` +
        'A proxy may have changed it, or it was damaged in transit; try again, and if the error repeats, do not trust the source.',
      { code: 'checksum-mismatch' },
    );
  }
}

export async function verify(what: string, file: string, sha256: string, signal?: AbortSignal): Promise<void> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { signal })) hash.update(chunk);
  const actual = hash.digest('hex');
  if (actual !== sha256) throw new ChecksumError(what, { expected: sha256, actual });
}
