import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { NoDiskError } from './no-disk-error.ts';
import { Turns } from './turns.ts';
import type { Launch, Launcher, Warden } from './warden.ts';

/**
 * Lays a file system of `$1` megabytes over the folder `$2`. In a name space of its own, so no rights are needed and only
 * who is launched on the disk sees it. Then it stands there: without a process the name space and all in it are gone.
 */
const script = 'mount -t tmpfs -o "size=$1m,mode=700" quorate "$2" && echo ready && exec tail -f /dev/null';

/** What is left is taken in pieces that get smaller, down to the size of a page. */
const pieces = [1024 * 1024, 4096];

/** A disk for one server, of a size of its own: it can be full while the machine's is not. It lives in memory. */
export class Disk implements Launcher {
  /** The folder as it is seen from outside the disk. */
  readonly folder: string;
  readonly #warden: Warden;
  readonly #keeper: ChildProcess;
  /** It is freed after it was filled, when that was asked first. */
  readonly #turns = new Turns();
  #full = false;

  /** Over an existing folder. It goes with the warden. */
  static async over(folder: string, megabytes: number, server: string, warden: Warden): Promise<Disk> {
    if (process.platform !== 'linux') throw new NoDiskError(server, `this is ${process.platform}`);
    const keeper = await warden.launch({
      command: 'unshare',
      args: [
        '--user',
        '--map-root-user',
        '--mount',
        '/bin/sh',
        '-c',
        script,
        'quorate-disk',
        String(megabytes),
        folder,
      ],
      cwd: '/',
      output: 'pipe',
    });
    const words = await firstWords(keeper);
    if (words !== 'ready') throw new NoDiskError(server, words);
    keeper.unref();
    return new Disk(folder, keeper, warden);
  }

  private constructor(folder: string, keeper: ChildProcess, warden: Warden) {
    this.folder = `/proc/${keeper.pid}/root${folder}`;
    this.#keeper = keeper;
    this.#warden = warden;
  }

  get full(): boolean {
    return this.#full;
  }

  /** As the warden does, for a program that sees the disk. */
  launch({ command, args, cwd, ...launch }: Launch): Promise<ChildProcess> {
    const enter = ['--target', String(this.#keeper.pid), '--user', '--mount', '--preserve-credentials'];
    const inside = ['/bin/sh', '-c', 'cd "$1" && shift && exec "$@"', 'quorate', cwd, command, ...args];
    return this.#warden.launch({ ...launch, command: 'nsenter', args: [...enter, ...inside], cwd: '/' });
  }

  /** Takes all the room that is left: each write that needs more fails with ENOSPC from now on. */
  async fill(): Promise<void> {
    await this.#turns.take(async () => {
      await using ballast = await open(this.#ballast, 'a');
      for (const size of pieces) await writeUntilFull(ballast, Buffer.alloc(size));
      this.#full = true;
    });
  }

  /** Gives the room back. */
  async free(): Promise<void> {
    await this.#turns.take(async () => {
      await rm(this.#ballast, { force: true });
      this.#full = false;
    });
  }

  /** Its content is gone. Whoever runs on it must have ended. */
  async close(): Promise<void> {
    const { pid, exitCode, signalCode } = this.#keeper;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    const gone = once(this.#keeper, 'exit');
    process.kill(-pid, 'SIGKILL');
    await gone;
  }

  get #ballast(): string {
    return join(this.folder, '.ballast');
  }
}

async function writeUntilFull(file: FileHandle, piece: Buffer): Promise<void> {
  try {
    for (;;) await file.write(piece);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}

/** The first line that a process prints, or how it ended without one. */
async function firstWords(child: ChildProcess): Promise<string> {
  let said = '';
  const { promise: line, resolve } = Promise.withResolvers<void>();
  for (const output of [child.stdout, child.stderr]) {
    output?.setEncoding('utf8').on('data', (text) => {
      said += text;
      if (said.includes('\n')) resolve();
    });
  }
  await Promise.race([line, once(child, 'close')]);
  for (const output of [child.stdout, child.stderr]) output?.destroy();
  return said.trim().split('\n')[0] || `unshare ended with ${child.exitCode ?? child.signalCode}`;
}
