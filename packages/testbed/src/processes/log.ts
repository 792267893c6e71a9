import { open } from 'node:fs/promises';

/** No more than this is read of a log, however long it is. */
const mostBytes = 64 * 1024;
const mostStartBytes = 16 * 1024 * 1024;

/** The last lines of a log file; none when there is no file. */
export async function lastLines(file: string, lines = 20): Promise<string[]> {
  try {
    await using handle = await open(file);
    const { size } = await handle.stat();
    const start = Math.max(0, size - mostBytes);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(Math.min(size, mostBytes)), { position: start });
    return buffer.toString('utf8', 0, bytesRead).trimEnd().split('\n').slice(-lines);
  } catch {
    return [];
  }
}

/** A log file from a position on, up to a length that no start of a server reaches. */
export async function textFrom(file: string, position: number): Promise<string> {
  try {
    await using handle = await open(file);
    const size = Math.min((await handle.stat()).size - position, mostStartBytes);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(Math.max(0, size)), { position });
    return buffer.toString('utf8', 0, bytesRead);
  } catch {
    return '';
  }
}
