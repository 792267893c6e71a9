import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { QuorateError } from '@quorate/core';
import { extract } from 'tar';
import xz from 'xz-decompress';
import { openPromise } from 'yauzl';

/** Unpacks a .zip, .whl, .jar, .tar.gz or .txz into `folder`; of a zip only what `wanted` accepts. */
export async function unpack(
  archive: string,
  folder: string,
  { wanted = () => true, signal }: { readonly wanted?: (name: string) => boolean; readonly signal?: AbortSignal } = {},
): Promise<void> {
  await mkdir(folder, { recursive: true });
  try {
    if (/\.(tar\.gz|tgz)$/.test(archive)) await extract({ file: archive, cwd: folder, strict: true });
    else if (/\.(tar\.xz|txz)$/.test(archive)) await untarXz(archive, folder, signal);
    else await unzip(archive, folder, wanted, signal);
  } catch (cause) {
    if (signal?.aborted || isDiskFull(cause)) throw cause;
    throw new QuorateError(`${archive} cannot be unpacked: ${(cause as Error).message}`, {
      code: 'bad-archive',
      cause,
    });
  }
}

async function untarXz(archive: string, folder: string, signal?: AbortSignal): Promise<void> {
  const packed = Readable.toWeb(createReadStream(archive)) as ReadableStream<Uint8Array>;
  const plain = Readable.fromWeb(new xz.XzReadableStream(packed) as never);
  await pipeline(plain, extract({ cwd: folder, strict: true }), { signal });
}

async function unzip(
  archive: string,
  folder: string,
  wanted: (name: string) => boolean,
  signal?: AbortSignal,
): Promise<void> {
  const zip = await openPromise(archive);
  try {
    for await (const entry of zip.eachEntry()) {
      signal?.throwIfAborted();
      if (entry.fileName.endsWith('/') || !wanted(entry.fileName)) continue;
      // yauzl has refused names that are absolute or lead outside.
      const target = join(folder, entry.fileName);
      await mkdir(dirname(target), { recursive: true });
      await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(target), { signal });
      // Zip keeps the Unix mode in the upper half; wheels made elsewhere have none.
      const mode = (entry.externalFileAttributes >>> 16) & 0o777;
      if (mode & 0o111) await chmod(target, mode);
    }
  } finally {
    zip.close();
  }
}

export function isDiskFull(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT';
}
