import { createWriteStream } from 'node:fs';
import { chmod, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { deadline, QuorateError } from '@quorate/core';
import type { Bring } from './bring.ts';
import { verify } from './checksum.ts';
import type { ReleasePin } from './lock.ts';
import { unpack } from './unpack.ts';

/** No program of ours is larger. */
const mostBytes = 1024 ** 3;

/** A source that says nothing for this long is given up. */
const silence = 30_000;

/** A release archive cannot be had: no network, no such file, or cut off on the way. Another source may serve. */
export class SourceUnreachableError extends QuorateError {
  constructor(url: string, why: string, cause?: unknown) {
    super(`${url}: ${why}`, { code: 'source-unreachable', retryable: true, cause });
  }
}

/** Brings the vendor's own archive. */
export async function bringRelease(pin: ReleasePin, { staging, signal, report }: Bring): Promise<string> {
  const archive = join(staging, pin.url.endsWith('.zip') ? 'archive.zip' : 'archive.tar.gz');
  await download(pin.url, archive, { signal, report });
  await verify(pin.url, archive, pin.sha256, signal);
  report({ step: 'unpacking' });
  await unpack(archive, join(staging, 'files'), { ...(signal && { signal }) });
  await rm(archive);
  await chmod(join(staging, 'files', pin.program), 0o755);
  return join('files', pin.program);
}

async function download(
  url: string,
  file: string,
  { signal, report }: Pick<Bring, 'signal' | 'report'>,
): Promise<void> {
  const quiet = new AbortController();
  const rouse = setTimeout(
    () => quiet.abort(new SourceUnreachableError(url, `nothing came for ${silence / 1000} s`)),
    silence,
  );
  using limit = deadline(60 * 60_000, signal);
  const either = AbortSignal.any([limit.signal, quiet.signal]);
  let done = 0;
  try {
    const response = await fetch(url, { signal: either, redirect: 'follow' });
    if (!response.ok || !response.body) throw new SourceUnreachableError(url, `answered ${response.status}`);
    const total = Number(response.headers.get('content-length')) || undefined;
    const count = new Transform({
      transform(chunk: Buffer, _encoding, forward) {
        rouse.refresh();
        done += chunk.length;
        report({ step: 'downloading', done, ...(total && { total }) });
        forward(done > mostBytes ? new SourceUnreachableError(url, `more than ${mostBytes} bytes`) : null, chunk);
      },
    });
    await pipeline(Readable.fromWeb(response.body as never), count, createWriteStream(file), { signal: either });
    if (total !== undefined && done !== total)
      throw new SourceUnreachableError(url, `cut off after ${done} of ${total} bytes`);
  } catch (error) {
    signal?.throwIfAborted();
    if (quiet.signal.aborted) throw quiet.signal.reason;
    if (error instanceof QuorateError || (error as NodeJS.ErrnoException).syscall === 'write') throw error;
    const cause = (error as Error).cause;
    const why = done > 0 ? `cut off after ${done} bytes` : 'not reached';
    throw new SourceUnreachableError(
      url,
      `${why} (${(cause as Error | undefined)?.message ?? (error as Error).message})`,
      error,
    );
  } finally {
    clearTimeout(rouse);
  }
}
