import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { BedStoppedError } from './bed-stopped-error.ts';
import { hasMembers } from './groups.ts';
import { TemporaryFolderError } from './temporary-folder-error.ts';
import { WardenEndedError } from './warden-ended-error.ts';

/**
 * The warden reads from its standard input: `+ <group>`, a process group is launched; `~ <group>`, its leader has ended
 * and members are left; `- <group>`, it is empty. When the input ends — the owner closed it, or died in whatever way,
 * SIGKILL included — it kills every process of the groups on its list, then every process that carries the mark `$2` in
 * its environment, and removes the folder `$1`. It is a shell in a session of its own, so neither Ctrl-C nor a kill of
 * the owner's group reaches it. It trusts nobody's PATH. A folder that was made read-only is made writable.
 *
 * The number of a group is not given to anybody else while the group has a member. So a process whose number is that of
 * a group without a leader is a stranger, who got the number after the group was empty: it is left alone.
 */
const script = `# quorate-warden
PATH=/usr/bin:/bin
trap '' HUP INT TERM
groups= orphans=
without() { left=; for g in $2; do [ "$g" = "$1" ] || left="$left $g"; done; echo "$left"; }
while read -r sign group; do
  case $sign in
    +) groups="$groups $group" ;;
    ~) groups=$(without "$group" "$groups") orphans="$orphans $group" ;;
    -) groups=$(without "$group" "$groups") orphans=$(without "$group" "$orphans") ;;
  esac
done
for g in $groups; do kill -KILL "-$g"; done
for g in $orphans; do kill -0 "$g" || kill -KILL "-$g"; done
tries=0
while [ -r /proc/self/environ ] && [ "$tries" -lt 50 ]; do
  carriers=$(grep -lzsFx "$2" /proc/[0-9]*/environ)
  [ -n "$carriers" ] || break
  for carrier in $carriers; do pid=\${carrier#/proc/}; kill -KILL "\${pid%/environ}"; done
  tries=$((tries + 1)); sleep 0.1
done
[ -n "$1" ] || exit
tries=0
until rm -rf "$1" || [ "$tries" -ge 50 ]; do chmod -R u+rwX "$1"; tries=$((tries + 1)); sleep 0.1; done
`;

/** How often a group without a leader is looked at, in milliseconds: whether it is empty. */
const lookEvery = 1_000;

/** What a program started by us runs in. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** A file descriptor for both outputs, or `pipe` to read them. */
  readonly output: number | 'pipe';
}

/** Whoever starts programs: the warden, or a disk, for a program that is to see it. */
export interface Launcher {
  launch(launch: Launch): Promise<ChildProcess>;
}

/**
 * Sees to it that nothing outlives its owner: neither the processes it launched, nor theirs, nor their folder. A process
 * escapes only when it leaves its process group and clears its environment; where there is no /proc, the former is enough.
 */
export class Warden implements Launcher, AsyncDisposable {
  readonly folder: string;
  /** For the environment of whoever is to end with the warden. It is no secret: `ps` shows it. */
  readonly mark: Readonly<Record<string, string>> = { QUORATE_MARK: randomBytes(16).toString('hex') };
  #shell: ChildProcess;
  /** Groups on its list that have a leader. */
  readonly #groups = new Set<number>();
  /** Groups on its list that have members and no leader. */
  readonly #orphans = new Set<number>();
  #looking: NodeJS.Timeout | undefined;
  #closed: Promise<void> | undefined;

  /** With a new folder among the temporary ones. */
  static async inNewFolder(): Promise<Warden> {
    // It is watched before it exists: whenever we are killed, somebody knows its name.
    const warden = await Warden.open(join(tmpdir(), `quorate-${randomBytes(6).toString('hex')}`));
    try {
      await mkdir(warden.folder, { mode: 0o700 });
      return warden;
    } catch (error) {
      await warden.close();
      throw new TemporaryFolderError(error as NodeJS.ErrnoException);
    }
  }

  /** `folder` is removed when the warden is closed or this process dies. */
  static async open(folder: string): Promise<Warden> {
    const warden = new Warden(folder);
    await once(warden.#shell, 'spawn');
    return warden;
  }

  /** Without a folder, and without waiting for it to run. */
  static withoutFolder(): Warden {
    const warden = new Warden('');
    // When not even a shell can be started, nor can what it would watch.
    warden.#shell.on('error', () => {});
    return warden;
  }

  private constructor(folder: string) {
    // The shell runs elsewhere: a path from here would be another one there.
    this.folder = folder && resolve(folder);
    this.#shell = this.#startShell();
  }

  #startShell(): ChildProcess {
    const [[name, mark] = []] = Object.entries(this.mark);
    const shell = spawn('/bin/sh', ['-c', script, 'quorate-warden', this.folder, `${name}=${mark}`], {
      cwd: '/',
      // Nothing of ours: a mark in it would be that of an outer warden, which is not to kill this one. By this the guard of
      // `quorate run`, which kills all below a process, knows whom to spare.
      env: { QUORATE_GUARD: 'yes' },
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    // Whoever forgets to close a bed must still be able to exit: the warden then cleans up.
    shell.unref();
    (shell.stdin as unknown as { unref(): void }).unref();
    shell.stdin?.on('error', () => {});
    return shell;
  }

  /**
   * Starts a program as the leader of a process group of its own. It waits, before it becomes the program, for a word
   * that we send only once the group is on the warden's list: there is no moment at which our death would leave it behind.
   */
  async launch({ command, args, cwd, env, output }: Launch): Promise<ChildProcess> {
    this.ensureOpen();
    const child = spawn('/bin/sh', ['-c', 'read -r _ && exec "$@"', 'quorate', command, ...args], {
      cwd,
      env: { ...process.env, ...env, ...this.mark },
      detached: true,
      stdio: ['pipe', output, output],
    });
    await once(child, 'spawn');
    const go = child.stdin as Writable;
    go.on('error', () => {});
    if (this.#closed) go.end();
    this.ensureOpen();
    this.watch(child);
    go.end('go\n');
    return child;
  }

  /** Throws when it has been closed, or killed by somebody: nobody would end what is started now. */
  ensureOpen(): void {
    if (this.#closed) throw new BedStoppedError();
    if (hasEnded(this.#shell)) throw new WardenEndedError(this.#shell);
  }

  /** A process group that somebody we launched has made: it is killed with the others when our owner dies. */
  list(group: number): void {
    this.#groups.add(group);
    this.#tell('+', group);
  }

  unlist(group: number): void {
    this.#groups.delete(group);
    this.#orphans.delete(group);
    this.#tell('-', group);
  }

  /** Answers for a process that leads a group of its own, and for all who are in it. */
  watch(leader: ChildProcess): void {
    const group = leader.pid;
    if (group === undefined) return;
    this.list(group);
    leader.once('exit', () => {
      if (!hasMembers(group)) return this.unlist(group);
      this.#groups.delete(group);
      this.#orphans.add(group);
      this.#tell('~', group);
      this.#looking ??= setInterval(() => this.#look(), lookEvery).unref();
    });
  }

  /** Kills what is still running, removes the folder, and resolves when both are done. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    // It never ran: it has launched nothing.
    if (this.#shell.pid === undefined) return;
    this.#look();
    clearInterval(this.#looking);
    if (!hasEnded(this.#shell) && (await this.#finish())) return;
    // Somebody has killed it: another one does its work.
    this.#shell = this.#startShell();
    for (const group of this.#groups) this.#tell('+', group);
    for (const group of this.#orphans) this.#tell('~', group);
    await this.#finish();
  }

  /** Lets the shell do its work. False when it was killed before the end. */
  async #finish(): Promise<boolean> {
    this.#shell.ref();
    const gone = once(this.#shell, 'exit');
    this.#shell.stdin?.end();
    const [, signal] = await gone;
    return signal === null;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #tell(sign: '+' | '~' | '-', group: number): void {
    this.#shell.stdin?.write(`${sign} ${group}\n`);
  }

  /** Takes the groups off the list that have become empty: from now on their number may be somebody else's. */
  #look(): void {
    for (const group of this.#orphans) if (!hasMembers(group)) this.unlist(group);
    if (this.#orphans.size > 0) return;
    clearInterval(this.#looking);
    this.#looking = undefined;
  }
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
