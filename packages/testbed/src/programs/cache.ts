import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { QuorateError, sleep } from '@quorate/core';
import { lock as lockFile } from 'proper-lockfile';
import { Warden } from '../processes/warden.ts';
import type { Program } from './program.ts';
import { isDiskFull } from './unpack.ts';

/** What is written beside an installed program; its `path` is relative to its folder. */
type Entry = Program;

/** Where programs that were fetched are kept: `$QUORATE_CACHE`, else the platform's cache folder. */
export function cacheFolder(): string {
  const { QUORATE_CACHE: own, XDG_CACHE_HOME: xdg } = process.env;
  if (own) return resolve(own);
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'quorate');
  return join(xdg || join(homedir(), '.cache'), 'quorate');
}

/** The cache cannot be used as it is. */
export class CacheError extends QuorateError {
  constructor(folder: string, cause: NodeJS.ErrnoException) {
    const full = isDiskFull(cause);
    super(
      full
        ? `the disk is full: nothing more fits into the cache ${folder}, and what was begun was removed. Make room, or set QUORATE_CACHE to a folder on another disk.`
        : `the cache ${folder} cannot be written (${cause.code}). Set QUORATE_CACHE to a folder that can.`,
      { code: full ? 'disk-full' : 'cache-not-writable', cause },
    );
  }
}

/** A folder of programs that can be shared by any number of processes. A program is in it whole or not at all. */
export class Cache {
  readonly folder: string;

  constructor(folder: string = cacheFolder()) {
    this.folder = folder;
  }

  /** Where a program is, or would be. `name` identifies program, version and platform. */
  folderOf(name: string): string {
    return join(this.folder, 'programs', name);
  }

  async find(name: string): Promise<Program | undefined> {
    const folder = this.folderOf(name);
    const text = await readFile(join(folder, 'program.json'), 'utf8').catch(() => undefined);
    if (text === undefined) return undefined;
    const entry = JSON.parse(text) as Entry;
    return { ...entry, path: join(folder, entry.path) };
  }

  /**
   * Finds the program, or has `fetch` bring it into a staging folder that becomes the program's folder in one step.
   * Of several processes that want the same one, one fetches and the others wait.
   */
  async install(
    name: string,
    fetch: (staging: string, warden: Warden) => Promise<Entry>,
    { signal, onWait }: { readonly signal?: AbortSignal | undefined; readonly onWait?: () => void } = {},
  ): Promise<Program> {
    const release = await this.#hold(name, signal, onWait);
    try {
      const present = await this.find(name);
      if (present) return present;
      await this.#removeLeftovers(name);
      const staging = join(this.folder, 'staging', `${name}.${randomBytes(6).toString('hex')}`);
      await mkdir(staging, { recursive: true });
      // Whatever ends this process, what it began is removed.
      await using warden = await Warden.open(staging);
      const entry = await fetch(staging, warden);
      await writeFile(join(staging, 'program.json'), `${JSON.stringify(entry, null, 2)}\n`);
      await mkdir(join(this.folder, 'programs'), { recursive: true });
      const home = this.folderOf(name);
      await rename(staging, home);
      return { ...entry, path: join(home, entry.path) };
    } catch (error) {
      throw isDiskFull(error) ? new CacheError(this.folder, error as NodeJS.ErrnoException) : error;
    } finally {
      await release();
    }
  }

  async #hold(name: string, signal?: AbortSignal, onWait?: () => void): Promise<() => Promise<void>> {
    const locks = join(this.folder, 'locks');
    try {
      await mkdir(locks, { recursive: true });
    } catch (error) {
      throw new CacheError(this.folder, error as NodeJS.ErrnoException);
    }
    for (;;) {
      signal?.throwIfAborted();
      try {
        return await lockFile(join(locks, name), {
          realpath: false,
          // How long the others wait for a process that died while it fetched.
          stale: 5_000,
          // A lock that is lost while this process slept costs a second download, not correctness: the rename is the
          // only step that others see.
          onCompromised: () => {},
        }).then((release) => () => release().catch(() => {}));
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code !== 'ELOCKED') throw new CacheError(this.folder, error as NodeJS.ErrnoException);
      }
      onWait?.();
      await sleep(200, { signal });
    }
  }

  /** Staging folders of processes that died together with their warden: the machine went down. */
  async #removeLeftovers(name: string): Promise<void> {
    const folder = join(this.folder, 'staging');
    for (const entry of await readdir(folder).catch(() => [])) {
      if (entry.startsWith(`${name}.`)) await rm(join(folder, entry), { recursive: true, force: true });
    }
  }
}
