import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Writable } from 'node:stream';

/**
 * The warden reads `+ <group>` and `- <group>` from its standard input. When that ends — the owner closed it, or died in
 * whatever way, SIGKILL included — it kills the process groups still on its list and removes the folder. It is a shell
 * in a session of its own, so neither Ctrl-C nor a kill of the owner's group reaches it.
 */
const script = `
trap '' HUP INT TERM
groups=
while read -r sign group; do
  case $sign in
    +) groups="$groups $group" ;;
    -) left=
       for g in $groups; do [ "$g" = "$group" ] || left="$left $g"; done
       groups=$left ;;
  esac
done
for g in $groups; do kill -KILL "-$g" 2>/dev/null; done
tries=0
until rm -rf "$1" 2>/dev/null || [ "$tries" -ge 50 ]; do tries=$((tries + 1)); sleep 0.1; done
`;

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

/** Sees to it that nothing outlives its owner: neither the processes it launched nor their folder. */
export class Warden implements Launcher, AsyncDisposable {
  readonly folder: string;
  readonly #shell: ChildProcess;
  readonly #list: Writable;

  /** `folder` is removed when the warden is closed or this process dies. */
  static async open(folder: string): Promise<Warden> {
    const shell = spawn('/bin/sh', ['-c', script, 'quorate-warden', folder], {
      cwd: '/',
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    await once(shell, 'spawn');
    return new Warden(folder, shell);
  }

  private constructor(folder: string, shell: ChildProcess) {
    this.folder = folder;
    this.#shell = shell;
    this.#list = shell.stdin as Writable;
    // Whoever forgets to close a bed must still be able to exit: the warden then cleans up.
    shell.unref();
    (this.#list as unknown as { unref(): void }).unref();
    this.#list.on('error', () => {});
  }

  /**
   * Starts a program as the leader of a process group of its own. It waits, before it becomes the program, for a word
   * that we send only once the group is on the warden's list: there is no moment at which our death would leave it behind.
   */
  async launch({ command, args, cwd, env, output }: Launch): Promise<ChildProcess> {
    const child = spawn('/bin/sh', ['-c', 'read -r _ && exec "$@"', 'quorate', command, ...args], {
      cwd,
      env: { ...process.env, ...env },
      detached: true,
      stdio: ['pipe', output, output],
    });
    await once(child, 'spawn');
    const go = child.stdin as Writable;
    go.on('error', () => {});
    this.#list.write(`+ ${child.pid}\n`);
    child.once('exit', () => this.#list.write(`- ${child.pid}\n`));
    go.end('go\n');
    return child;
  }

  /** A process group that somebody we launched has made: it is killed with the others when our owner dies. */
  list(group: number): void {
    this.#list.write(`+ ${group}\n`);
  }

  unlist(group: number): void {
    this.#list.write(`- ${group}\n`);
  }

  /** Kills what is still running, removes the folder, and resolves when both are done. */
  async close(): Promise<void> {
    if (this.#shell.exitCode !== null || this.#shell.signalCode !== null) return;
    this.#shell.ref();
    const gone = once(this.#shell, 'exit');
    this.#list.end();
    await gone;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
