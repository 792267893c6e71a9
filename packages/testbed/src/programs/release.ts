import { createWriteStream } from 'node:fs';
import { chmod, mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { deadline, QuorateError } from '@quorate/core';
import type { Bring } from './bring.ts';
import { verify } from './checksum.ts';
import type { ReleasePin } from './lock.ts';
import { unpack } from './unpack.ts';

/** No program of ours is larger. */
const mostBytes = 1024 ** 3;

/** Where the vendor cannot be reached, a package client may serve: it is not kept waiting for long. */
const answersWithin = 5_000;

/** A source that has answered and then says nothing for this long is given up. */
const silence = 30_000;

/** What a vendor publishes cannot be had: no network, no such file, or cut off on the way. Another source may serve. */
export class SourceUnreachableError extends QuorateError {
  constructor(url: string, why: string, cause?: unknown) {
    super(`${url}: ${why}`, { code: 'source-unreachable', retryable: true, cause });
  }
}

/** Brings what the vendor publishes: an archive with the program in it, or the program itself. */
export async function bringRelease(pin: ReleasePin, { staging, signal, report }: Bring): Promise<string> {
  const suffix = /\.(?:zip|tar\.gz|tgz)$/.exec(pin.url)?.[0];
  const download = join(staging, `download${suffix ?? ''}`);
  const program = join(staging, 'files', pin.program);
  await fetchTo(download, pin.url, { signal, report });
  await verify(pin.url, download, pin.sha256, signal);
  if (suffix === undefined) {
    await mkdir(dirname(program), { recursive: true });
    await rename(download, program);
  } else {
    report({ step: 'unpacking' });
    await unpack(download, join(staging, 'files'), { ...(signal && { signal }) });
    await rm(download);
  }
  await chmod(program, 0o755);
  return join('files', pin.program);
}

async function fetchTo(file: string, url: string, { signal, report }: Pick<Bring, 'signal' | 'report'>): Promise<void> {
  const quiet = new AbortController();
  const giveUpAfter = (limit: number, what: string): NodeJS.Timeout =>
    setTimeout(() => quiet.abort(new SourceUnreachableError(url, `${what} for ${limit / 1000} s`)), limit);
  let patience = giveUpAfter(answersWithin, 'no answer');
  using limit = deadline(60 * 60_000, signal);
  const either = AbortSignal.any([limit.signal, quiet.signal]);
  let done = 0;
  try {
    const response = await fetch(url, { signal: either, redirect: 'follow' });
    clearTimeout(patience);
    patience = giveUpAfter(silence, 'no data');
    if (!response.ok || !response.body) throw new SourceUnreachableError(url, `answered ${response.status}`);
    const total = Number(response.headers.get('content-length')) || undefined;
    const count = new Transform({
      transform(chunk: Buffer, _encoding, forward) {
        patience.refresh();
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
    const why = done > 0 ? `cut off after ${done} bytes` : 'could not be reached';
    throw new SourceUnreachableError(
      url,
      `${why} (${(cause as Error | undefined)?.message ?? (error as Error).message})`,
      error,
    );
  } finally {
    clearTimeout(patience);
  }
}
