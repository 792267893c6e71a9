import { randomBytes } from 'node:crypto';
import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir, userInfo } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { QuorateError, sleep } from '@quorate/core';
import { lock as lockFile } from 'proper-lockfile';
import { Warden } from '../processes/warden.ts';
import { makeFolder } from './make-folder.ts';
import { isThere, thisOwner } from './owner.ts';
import type { Program } from './program.ts';
import { isDiskFull } from './unpack.ts';

/** What is written beside an installed program; its `path` is relative to its folder. */
type Entry = Program;

/**
 * Where programs that were fetched are kept: `$QUORATE_CACHE`, else the platform's cache folder. That never depends on the
 * folder that a program runs in: a relative `$XDG_CACHE_HOME` counts as none.
 */
export function cacheFolder(): string {
  const { QUORATE_CACHE: own, XDG_CACHE_HOME: xdg } = process.env;
  if (own) return resolve(own);
  if (process.platform === 'darwin') return join(home(), 'Library', 'Caches', 'quorate');
  return join(xdg && isAbsolute(xdg) ? xdg : join(home(), '.cache'), 'quorate');
}

/** As the system has it for this user where `$HOME` is no use. */
function home(): string {
  const folder = [homedir, () => userInfo().homedir].map((ask) => ask()).find(isAbsolute);
  if (folder !== undefined) return folder;
  throw new QuorateError('there is no place for the cache: HOME is no absolute path. Set QUORATE_CACHE to a folder.', {
    code: 'cache-not-writable',
  });
}

/** So old is what was begun on another machine when it is removed, in milliseconds: nobody can tell whether it is alive. */
const oldest = 86_400_000;

/** The cache cannot be used as it is. */
export class CacheError extends QuorateError {
  constructor(folder: string, cause: NodeJS.ErrnoException) {
    const full = isDiskFull(cause);
    super(
      full
        ? `the disk is full: the program does not fit into the cache ${folder}, and the incomplete copy was removed. Free some space, or set QUORATE_CACHE to a folder on another disk.`
        : `the cache ${folder} cannot be used (${cause.code}). Set QUORATE_CACHE to a folder that can.`,
      { code: full ? 'disk-full' : 'cache-not-writable', cause },
    );
  }
}

/** A folder in the cache, of this user alone. */
export async function makeCacheFolder(name: string): Promise<string> {
  const folder = join(cacheFolder(), name);
  try {
    await makeFolder(folder, 0o700);
    return folder;
  } catch (error) {
    throw new CacheError(cacheFolder(), error as NodeJS.ErrnoException);
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
   * Of several processes that want the same one, one fetches and the others wait, `onWait`: for this process, or for
   * one on another machine. Where they cannot know of one another two fetch it, and the first one's is kept.
   */
  async install(
    name: string,
    fetch: (staging: string, warden: Warden) => Promise<Entry>,
    { signal, onWait }: { readonly signal?: AbortSignal | undefined; readonly onWait?: OnWait } = {},
  ): Promise<Program> {
    const release = await this.#hold(name, signal, onWait);
    try {
      const present = await this.find(name);
      if (present) return present;
      await this.#removeLeftovers(name);
      const staging = join(this.folder, 'staging', `${name}.${await thisOwner()}.${randomBytes(6).toString('hex')}`);
      await makeFolder(staging);
      // Whatever ends this process, what it began is removed.
      await using warden = await Warden.open(staging);
      const entry = await fetch(staging, warden);
      await writeFile(join(staging, 'program.json'), `${JSON.stringify(entry, null, 2)}\n`);
      await makeFolder(join(this.folder, 'programs'));
      const home = this.folderOf(name);
      try {
        await rename(staging, home);
      } catch (error) {
        // Somebody who did not see our lock was faster.
        const other = await this.find(name);
        if (other) return other;
        throw error;
      }
      return { ...entry, path: join(home, entry.path) };
    } catch (error) {
      throw isDiskFull(error) ? new CacheError(this.folder, error as NodeJS.ErrnoException) : error;
    } finally {
      await release();
    }
  }

  async #hold(name: string, signal?: AbortSignal, onWait?: OnWait): Promise<() => Promise<void>> {
    const locks = join(this.folder, 'locks');
    const [lock, holder] = [join(locks, `${name}.lock`), join(locks, `${name}.holder`)];
    try {
      await makeFolder(locks);
      for (;;) {
        signal?.throwIfAborted();
        const owner = await readFile(holder, 'utf8').catch(() => '');
        const there = await isThere(owner);
        if (there === false) for (const left of [lock, holder]) await rm(left, { recursive: true, force: true });
        // One that stands still does not renew its lock, but has it.
        const release = there ? undefined : await lockWhereFree(lock);
        if (release) return await holding(holder, release);
        onWait?.(there ? Number.parseInt(owner, 10) : undefined);
        await sleep(200, { signal });
      }
    } catch (error) {
      signal?.throwIfAborted();
      throw new CacheError(this.folder, error as NodeJS.ErrnoException);
    }
  }

  /** Staging folders of processes that died together with their warden: the machine went down. */
  async #removeLeftovers(name: string): Promise<void> {
    const staging = join(this.folder, 'staging');
    for (const entry of await readdir(staging).catch(() => [])) {
      if (!entry.startsWith(`${name}.`)) continue;
      const folder = join(staging, entry);
      const [owner = ''] = entry.slice(name.length + 1).split('.');
      const left = !((await isThere(owner)) ?? (await ageOf(folder)) < oldest);
      if (left) await rm(folder, { recursive: true, force: true });
    }
  }
}

/** Told the process that is waited for, where that is known. */
type OnWait = (pid: number | undefined) => void;

/** Says who holds a lock, until it is released. */
async function holding(holder: string, release: () => Promise<void>): Promise<() => Promise<void>> {
  const end = async (): Promise<void> => {
    await rm(holder, { force: true });
    await release().catch(() => {});
  };
  try {
    await writeFile(holder, await thisOwner());
    return end;
  } catch (error) {
    await end();
    throw error;
  }
}

/** How to release it; undefined when somebody has it. */
async function lockWhereFree(lock: string): Promise<(() => Promise<void>) | undefined> {
  try {
    return await lockFile(lock, {
      realpath: false,
      lockfilePath: lock,
      // How long the others wait for a process on another machine that died while it fetched.
      stale: 5_000,
      // A lock that is lost all the same costs a second download, not correctness: the rename is the only step that
      // others see.
      onCompromised: () => {},
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ELOCKED') return undefined;
    throw error;
  }
}

async function ageOf(folder: string): Promise<number> {
  return Date.now() - (await stat(folder)).mtimeMs;
}
